//! Keys with fixed secrets and the transactions that they sign; equal input gives equal bytes.

use std::sync::LazyLock;

use alloy_consensus::{SignableTransaction, Signed, TxEip1559, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use bitcoin::secp256k1::{All, Message, PublicKey, Scalar, Secp256k1, SecretKey};

/// The secret of the first account of a development node, whose mnemonic everybody knows.
const FIRST_ACCOUNT: [u8; 32] = [
    0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94,
    0x4b, 0xac, 0xb4, 0x78, 0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80,
];

/// The price per unit of gas that is offered, in wei: far above what the base fee of a test chain reaches.
const GAS_PRICE: u128 = 20_000_000_000;
/// What of it the block's maker gets at most, in wei.
const TIP: u128 = 1_000_000_000;

/// Tables of the curve, which take a moment to make.
static CURVE: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// An account's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmKey {
    secret: SecretKey,
}

/// What a key signs to have something done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvmOrder {
    /// The chain's id.
    pub chain_id: u64,
    /// How many transactions the account sent before.
    pub nonce: u64,
    /// What is called; `None` creates a contract.
    pub to: Option<Address>,
    /// The native coin sent along, in base units.
    pub value: U256,
    /// The call's data or the code that creates the contract.
    pub data: Bytes,
    /// How much gas it may use.
    pub gas: u64,
}

impl EvmKey {
    /// The key whose secret is this number, from 1 on.
    ///
    /// # Panics
    /// For the number 0, which is no key.
    pub fn numbered(number: u32) -> Self {
        let mut secret = [0_u8; 32];
        // A secret of nothing but a small number is watched by many on public chains; this one is ours.
        secret[..6].copy_from_slice(b"hansel");
        secret[28..].copy_from_slice(&number.to_be_bytes());
        assert!(number > 0, "key numbers start at 1");
        Self::of(&secret)
    }

    /// The key of a development node's first account, which is rich from the start.
    pub fn faucet() -> Self {
        Self::of(&FIRST_ACCOUNT)
    }

    fn of(secret: &[u8; 32]) -> Self {
        let secret = SecretKey::from_slice(secret).expect("the number is below the curve's order");
        Self { secret }
    }

    /// The account.
    pub fn address(&self) -> Address {
        let point = self.public().serialize_uncompressed();
        Address::from_slice(&keccak256(&point[1..])[12..])
    }

    /// Signs a transaction of the old kind (type 0) with its chain's id (EIP-155). Its hash is the bytes' Keccak-256.
    pub fn sign_legacy(&self, order: &EvmOrder) -> Bytes {
        let transaction = TxLegacy {
            chain_id: Some(order.chain_id),
            nonce: order.nonce,
            gas_price: GAS_PRICE,
            gas_limit: order.gas,
            to: order.kind(),
            value: order.value,
            input: order.data.clone(),
        };
        self.seal(transaction)
    }

    /// Signs a transaction that offers a tip above the base fee (type 2, EIP-1559).
    pub fn sign_dynamic(&self, order: &EvmOrder) -> Bytes {
        let transaction = TxEip1559 {
            chain_id: order.chain_id,
            nonce: order.nonce,
            max_fee_per_gas: GAS_PRICE,
            max_priority_fee_per_gas: TIP,
            gas_limit: order.gas,
            to: order.kind(),
            value: order.value,
            input: order.data.clone(),
            ..TxEip1559::default()
        };
        self.seal(transaction)
    }

    /// Signs a transaction that gives accounts code (type 4, EIP-7702) and then calls.
    ///
    /// # Panics
    /// Where the order creates a contract, which such a transaction cannot.
    pub fn sign_delegating(&self, order: &EvmOrder, grants: Vec<SignedAuthorization>) -> Bytes {
        let transaction = TxEip7702 {
            chain_id: order.chain_id,
            nonce: order.nonce,
            max_fee_per_gas: GAS_PRICE,
            max_priority_fee_per_gas: TIP,
            gas_limit: order.gas,
            to: order.to.expect("a type 4 transaction calls an account"),
            value: order.value,
            input: order.data.clone(),
            authorization_list: grants,
            ..TxEip7702::default()
        };
        self.seal(transaction)
    }

    /// Lets this account run the code of a contract; `nonce` is the account's at that moment, and is used up.
    pub fn grant(&self, chain_id: u64, delegate: Address, nonce: u64) -> SignedAuthorization {
        let grant = Authorization {
            chain_id: U256::from(chain_id),
            address: delegate,
            nonce,
        };
        let signature = self.sign(grant.signature_hash());
        grant.into_signed(signature)
    }

    fn seal<T>(&self, transaction: T) -> Bytes
    where
        T: SignableTransaction<Signature>,
        Signed<T>: Encodable2718,
    {
        let signature = self.sign(transaction.signature_hash());
        transaction.into_signed(signature).encoded_2718().into()
    }

    fn sign(&self, digest: B256) -> Signature {
        let message = Message::from_digest(digest.0);
        let compact = CURVE.sign_ecdsa(&message, &self.secret).serialize_compact();
        let (r, s) = compact.split_at(32);
        let odd = self.is_odd(digest, r, s);
        Signature::new(U256::from_be_slice(r), U256::from_be_slice(s), odd)
    }

    /// Whether the signature's point has an odd ordinate, which says whose key it is: of the two points R with the
    /// abscissa `r`, it is the one with s·R = z·G + r·Q, where z is the digest and Q the public key.
    fn is_odd(&self, digest: B256, r: &[u8], s: &[u8]) -> bool {
        let scalar = |bytes: &[u8]| {
            let array = bytes.try_into().expect("half a signature has 32 bytes");
            Scalar::from_be_bytes(array).expect("it is below the curve's order")
        };
        let z = SecretKey::from_slice(digest.as_slice()).expect("a digest is below the order");
        let of_key = self.public().mul_tweak(&CURVE, &scalar(r));
        let sum = of_key.and_then(|point| point.combine(&z.public_key(&CURVE)));
        let odd = PublicKey::from_slice(&[&[3], r].concat());
        let product = odd.and_then(|point| point.mul_tweak(&CURVE, &scalar(s)));
        product.expect("r is the abscissa of a point") == sum.expect("the points do not cancel")
    }

    fn public(&self) -> PublicKey {
        self.secret.public_key(&CURVE)
    }
}

impl EvmOrder {
    fn kind(&self) -> TxKind {
        self.to.map_or(TxKind::Create, TxKind::Call)
    }
}

//! Keys with fixed secrets, the scripts they lock and the signatures that unlock them.

use bitcoin::hashes::Hash;
use bitcoin::key::{Keypair, Secp256k1, TapTweak};
use bitcoin::script::PushBytesBuf;
use bitcoin::secp256k1::{All, Message};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::{
    CompressedPublicKey, PrivateKey, ScriptBuf, Transaction, TxOut, Witness, ecdsa, taproot,
};

/// Who can spend an output: the key whose secret is this number, from 1 on, in one of the usual scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payee {
    /// Pay to witness public key hash.
    Segwit(u32),
    /// Taproot, spent with the key.
    Taproot(u32),
    /// Pay to public key hash, in base58.
    Legacy(u32),
}

/// What unlocks an output.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// The key of a payee.
    Payee(Payee),
    /// The key of this number, below a script that the output has the hash of.
    Script(u32, ScriptBuf),
}

/// Makes scripts and signatures; equal input gives equal bytes.
pub(super) struct Keys {
    secp: Secp256k1<All>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            secp: Secp256k1::new(),
        }
    }

    pub(super) fn script(&self, payee: Payee) -> ScriptBuf {
        match payee {
            Payee::Segwit(number) => ScriptBuf::new_p2wpkh(&self.public(number).wpubkey_hash()),
            Payee::Legacy(number) => ScriptBuf::new_p2pkh(&self.public(number).pubkey_hash()),
            Payee::Taproot(number) => {
                let (key, _parity) = self.pair(number).x_only_public_key();
                ScriptBuf::new_p2tr(&self.secp, key, None)
            }
        }
    }

    /// Signs every input; `owners` and `spent` are in the order of the inputs.
    pub(super) fn sign(&self, transaction: &mut Transaction, owners: &[Owner], spent: &[TxOut]) {
        for (index, owner) in owners.iter().enumerate() {
            let payee = match owner {
                Owner::Payee(payee) => *payee,
                Owner::Script(number, script) => {
                    self.sign_script(transaction, index, (*number, script), &spent[index]);
                    continue;
                }
            };
            match payee {
                Payee::Segwit(number) => {
                    self.sign_segwit(transaction, index, number, &spent[index])
                }
                Payee::Taproot(number) => self.sign_taproot(transaction, index, number, spent),
                Payee::Legacy(number) => {
                    self.sign_legacy(transaction, index, number, &spent[index])
                }
            }
        }
    }

    fn sign_segwit(&self, transaction: &mut Transaction, index: usize, number: u32, spent: &TxOut) {
        let hash = SighashCache::new(&*transaction)
            .p2wpkh_signature_hash(
                index,
                &spent.script_pubkey,
                spent.value,
                EcdsaSighashType::All,
            )
            .expect("the input exists and its script is p2wpkh");
        let signature = self.ecdsa(number, Message::from_digest(hash.to_byte_array()));
        transaction.input[index].witness = Witness::p2wpkh(&signature, &self.public(number).0);
    }

    fn sign_script(
        &self,
        transaction: &mut Transaction,
        index: usize,
        (number, script): (u32, &ScriptBuf),
        spent: &TxOut,
    ) {
        let kind = EcdsaSighashType::All;
        let hash = SighashCache::new(&*transaction)
            .p2wsh_signature_hash(index, script, spent.value, kind)
            .expect("the input exists");
        let signature = self.ecdsa(number, Message::from_digest(hash.to_byte_array()));
        let mut witness = Witness::new();
        witness.push(signature.to_vec());
        witness.push(self.public(number).to_bytes());
        witness.push(script);
        transaction.input[index].witness = witness;
    }

    fn sign_taproot(
        &self,
        transaction: &mut Transaction,
        index: usize,
        number: u32,
        spent: &[TxOut],
    ) {
        let hash = SighashCache::new(&*transaction)
            .taproot_key_spend_signature_hash(index, &Prevouts::All(spent), TapSighashType::Default)
            .expect("every spent output is given");
        let pair = self.pair(number).tap_tweak(&self.secp, None).to_keypair();
        let message = Message::from_digest(hash.to_byte_array());
        // Without auxiliary randomness the signature is the same in every run.
        let signature = taproot::Signature {
            signature: self.secp.sign_schnorr_no_aux_rand(&message, &pair),
            sighash_type: TapSighashType::Default,
        };
        transaction.input[index].witness = Witness::p2tr_key_spend(&signature);
    }

    fn sign_legacy(&self, transaction: &mut Transaction, index: usize, number: u32, spent: &TxOut) {
        let kind = EcdsaSighashType::All;
        let hash = SighashCache::new(&*transaction)
            .legacy_signature_hash(index, &spent.script_pubkey, kind.to_u32())
            .expect("the input exists");
        let signature = self.ecdsa(number, Message::from_digest(hash.to_byte_array()));
        let push = PushBytesBuf::try_from(signature.to_vec()).expect("a signature has 73 bytes");
        let unlock = ScriptBuf::builder().push_slice(push);
        let key = self.public(number).to_bytes();
        transaction.input[index].script_sig = unlock.push_slice(key).into_script();
    }

    fn ecdsa(&self, number: u32, message: Message) -> ecdsa::Signature {
        let secret = self.pair(number).secret_key();
        ecdsa::Signature::sighash_all(self.secp.sign_ecdsa(&message, &secret))
    }

    fn pair(&self, number: u32) -> Keypair {
        let mut secret = [0_u8; 32];
        secret[28..].copy_from_slice(&number.to_be_bytes());
        Keypair::from_seckey_slice(&self.secp, &secret).expect("key numbers start at 1")
    }

    fn public(&self, number: u32) -> CompressedPublicKey {
        let secret = self.pair(number).secret_key();
        let private = PrivateKey::new(secret, bitcoin::Network::Regtest);
        CompressedPublicKey::from_private_key(&self.secp, &private)
            .expect("private keys made here are compressed")
    }
}

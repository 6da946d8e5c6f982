//! Contracts whose address gives their creator away.

use alloy_primitives::{Address, keccak256};

/// How many of an account's first contracts are recognised by their address.
const FIRST: u8 = 64;

/// Where the first contracts that an account creates by transactions of its own come to be: the address is the
/// hash of the creator and its nonce (Ethereum Yellow Paper, section 7).
pub(crate) fn first_contracts(creator: Address) -> impl Iterator<Item = Address> {
    (0..FIRST).map(move |nonce| {
        // The RLP of a list of 22 bytes: the address, and a nonce below 128, of which zero is the empty string.
        let mut encoded = [0_u8; 23];
        encoded[0] = 0xd6;
        encoded[1] = 0x94;
        encoded[2..22].copy_from_slice(creator.as_slice());
        encoded[22] = if nonce == 0 { 0x80 } else { nonce };
        Address::from_word(keccak256(encoded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_contract_follows_from_its_creator_and_nonce() {
        // CryptoKitties: the first contracts of its deployer, as every block explorer shows them.
        let creator: Address = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
            .parse()
            .unwrap();
        let known = [
            "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
            "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8",
            "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91",
            "0xfffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c",
        ];
        let known = known.map(|text| text.parse::<Address>().unwrap());
        let found: Vec<Address> = first_contracts(creator).take(4).collect();
        assert_eq!(found, known);
    }
}

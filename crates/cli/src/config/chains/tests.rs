//! What a `chains.toml` may say, and what is refused by name.

use super::*;

const SHIPPED: &str = include_str!("../../../../../config/chains.toml");

/// A file of one small chain, with one piece of text replaced.
fn small(old: &str, new: &str) -> Result<Vec<Chain>, ChainsError> {
    let text = r#"schema = "hansel-chains/1"
[[chains]]
name = "lab"
family = "evm"
chain_id = 7
native = { symbol = "LAB", decimals = 18 }
wrapped = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
tokens = [{ contract = "0xdAC17F958D2ee523a2206206994597C13D831ec7", symbol = "USDT", decimals = 6, source = "here" }]
"#;
    assert!(text.contains(old), "{old}");
    parse(&text.replacen(old, new, 1))
}

#[test]
fn the_shipped_chains_are_read_and_what_wraps_a_native_coin_is_among_the_tokens() {
    let chains = parse(SHIPPED).unwrap();
    let ids: Vec<_> = chains
        .iter()
        .filter_map(|chain| Some((chain.name(), chain.evm()?.chain_id)))
        .collect();
    let expected = [
        ("ethereum", 1),
        ("arbitrum", 42_161),
        ("bnb", 56),
        ("base", 8453),
        ("optimism", 10),
        ("polygon", 137),
        ("avalanche", 43_114),
        ("anvil", 31_337),
    ];
    assert_eq!(ids, expected);
    for network in chains.iter().filter_map(Chain::evm) {
        let own = matches!(network.chain_id, 1 | 31_337);
        assert_eq!(network.blocks.ethereum_header, own);
        assert_eq!(network.blocks.bridge_receipt, network.chain_id == 137);
        assert_eq!(network.native.decimals, 18);
        assert!(network.tokens.is_sorted_by_key(|token| token.contract));
        if let Some(wrapped) = network.wrapped {
            let token = network
                .tokens
                .iter()
                .find(|token| token.contract == wrapped);
            assert_eq!(
                token.map(|token| token.asset.decimals),
                Some(18),
                "{network:?}"
            );
        }
    }
}

#[test]
fn every_shipped_chain_says_how_deep_a_block_counts_as_settled() {
    let said = SHIPPED
        .lines()
        .filter(|line| line.starts_with("confirmations = "));
    let chains = parse(SHIPPED).unwrap();
    assert_eq!(said.count(), chains.len());
    let depth = |name: &str| {
        let found = chains.iter().find(|chain| chain.name() == name);
        found.unwrap().confirmations()
    };
    assert_eq!(["bitcoin", "ethereum", "polygon"].map(depth), [6, 64, 256]);
}

#[test]
fn a_depth_is_a_whole_number_within_bounds_and_has_a_default() {
    let given = |depth: &str| {
        small(
            "chain_id = 7",
            &format!("chain_id = 7\nconfirmations = {depth}"),
        )
    };
    let depth = |chains: Vec<Chain>| chains[0].confirmations();
    assert_eq!(given("1").map(depth), Ok(1));
    assert_eq!(given("10000").map(depth), Ok(10_000));
    assert_eq!(small("chain_id = 7", "chain_id = 7").map(depth), Ok(64));
    for (value, text) in [
        (0, "0"),
        (10_001, "10001"),
        (9_223_372_036_854_775_807, "0x7fffffffffffffff"),
    ] {
        let (line, chain) = (6, "lab".to_owned());
        let wrong = ChainsError::Confirmations { line, chain, value };
        assert_eq!(given(text), Err(wrong));
    }
    for nonsense in ["-3", "6.5", "\"6\"", "[6]", "true", "99999999999999999999"] {
        let error = given(nonsense).unwrap_err();
        assert!(
            matches!(error, ChainsError::Syntax { line: 6, .. }),
            "{error}"
        );
    }
}

#[test]
fn every_shipped_address_carries_its_checksum() {
    let addresses: Vec<_> = SHIPPED
        .split('"')
        .filter(|text| text.starts_with("0x"))
        .collect();
    assert!(addresses.len() > 40);
    for text in addresses {
        let mixed = text.bytes().skip(2).any(|b| b.is_ascii_uppercase());
        let digits_only = text.bytes().skip(2).all(|b| b.is_ascii_digit());
        assert!(mixed || digits_only, "{text}");
    }
}

#[test]
fn a_chain_of_any_id_is_an_entry_more() {
    let chains = small("chain_id = 7", "chain_id = 18446744073709551").unwrap();
    let network = chains[0].evm().unwrap();
    assert_eq!(network.chain_id, 18_446_744_073_709_551);
    assert_eq!(network.native.symbol, "LAB");
    assert_eq!(network.tokens.len(), 1);
    let bare = small("wrapped", "note").unwrap();
    assert_eq!(bare[0].evm().unwrap().wrapped, None);
}

#[test]
fn what_is_wrong_with_an_entry_is_said_by_name() {
    let wrong = [
        (
            "hansel-chains/1",
            "hansel-chains/2",
            "this program reads `hansel-chains/1`",
        ),
        ("schema", "sch\u{e9}ma", "line 1"),
        (
            "\"evm\"",
            "\"solana\"",
            "the families are `bitcoin` and `evm`",
        ),
        (
            "\"evm\"",
            "\"bitcoin\"",
            "`chain_id`, which a chain of family `bitcoin` does not take",
        ),
        ("chain_id = 7", "", "lacks `chain_id`"),
        ("chain_id = 7", "chain_id = 0", "begin with 1"),
        ("chain_id = 7", "chain_id = -7", "line 5"),
        ("chain_id = 7", "chain_id = \"7\"", "line 5"),
        ("native = {", "nativ = {", "line 6: unknown field"),
        (
            "native = { symbol = \"LAB\", decimals = 18 }",
            "",
            "lacks `native`",
        ),
        ("decimals = 18", "decimals = 78", "at most 77"),
        (
            "chain_id = 7",
            "chain_id = 7\nheader = \"bor\"",
            "the one form known is `ethereum`",
        ),
        ("decimals = 18", "decimals = 256", "line 6"),
        ("\"LAB\"", "\"\"", "visible ASCII"),
        ("\"LAB\"", "\"\\u202elab\"", "visible ASCII"),
        ("0xC02aaA39", "0xc02aaA39", "EIP-55"),
        ("0xdAC17F958D", "0xdac17F958D", "EIP-55"),
        ("0xdAC17F95", "0xdAC17F9", "neither a transaction hash"),
        (
            "0xdAC17F958D2ee523a2206206994597C13D831ec7",
            "0x0000000000000000000000000000000000000000",
            "the address of a contract",
        ),
        (
            "0xdAC17F958D2ee523a2206206994597C13D831ec7",
            "USDT",
            "does not start with 0x",
        ),
        ("source = \"here\"", "source = \" \"", "left out"),
        (", source = \"here\"", "", "line 8: missing field `source`"),
        ("\"lab\"", "\"Lab\"", "not a chain name"),
        (
            "family = \"evm\"",
            "family = \"evm\"\nnetwork = \"main\"",
            "`network`, which a chain of family `evm` does not take",
        ),
    ];
    for (old, new, words) in wrong {
        let error = small(old, new).unwrap_err().to_string();
        assert!(error.contains(words), "{new}: {error}");
    }
}

#[test]
fn names_and_tokens_are_listed_once() {
    let twice = format!(
        "{SHIPPED}\n[[chains]]\nname = \"bitcoin\"\nfamily = \"bitcoin\"\nnetwork = \"signet\"\n"
    );
    assert_eq!(parse(&twice), Err(ChainsError::Twice("bitcoin".into())));
    let token = "{ contract = \"0xdAC17F958D2ee523a2206206994597C13D831ec7\", symbol = \"A\", decimals = 1, source = \"b\" }";
    let error = small("tokens = [", &format!("tokens = [{token}, ")).unwrap_err();
    assert!(error.to_string().contains("listed twice"), "{error}");
}

#[test]
fn hostile_text_is_bounded_and_never_echoed_raw() {
    let escape = small("\"lab\"", "\"\\u001b[31m\"").unwrap_err().to_string();
    assert!(!escape.contains('\u{1b}'), "{escape}");
    let long = small("\"evm\"", &format!("\"{}\"", "e".repeat(1 << 20))).unwrap_err();
    assert!(long.to_string().len() < 1000);
    let nested = small(
        "chain_id = 7",
        &format!("chain_id = {}", "[".repeat(200_000)),
    );
    assert!(matches!(nested, Err(ChainsError::Syntax { .. })));
}

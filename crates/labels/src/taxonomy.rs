//! GraphSense's words for entities and for how sure a source is.
//!
//! Source: the taxonomies of graphsense-tagpack-tool (v0.1.0 of 2023-01-27).

use hansel_heuristics::EntityKind;

/// How sure a source may be, surest first.
const CONFIDENCES: [&str; 14] = [
    "override",
    "ownership",
    "ledger_immanent",
    "manual_transaction",
    "service_api",
    "forensic_investigation",
    "authority_data",
    "trusted_provider",
    "service_data",
    "forensic",
    "untrusted_transaction",
    "web_crawl",
    "heuristic",
    "unknown",
];

/// What is taken where a source does not say how sure it is.
pub(crate) const UNSAID: &str = "unknown";

/// The confidence of that name.
pub(crate) fn confidence(text: &str) -> Option<&'static str> {
    CONFIDENCES.into_iter().find(|id| *id == text)
}

/// The kind of entity that the words of a category name: the first in the order of kinds.
///
/// An address that is only mentioned somewhere is nobody's, whatever else is said of it.
pub(crate) fn kind(category: &str) -> EntityKind {
    let words = || category.split(", ");
    if words().any(is_mention) {
        return EntityKind::Other;
    }
    words().map(kind_of_word).min().unwrap_or_default()
}

fn is_mention(word: &str) -> bool {
    matches!(
        word,
        "mention" | "event" | "website_mention" | "forum_mention"
    )
}

fn kind_of_word(word: &str) -> EntityKind {
    match word {
        "exchange" => EntityKind::Exchange,
        "mixing_service" | "mixer" => EntityKind::Mixer,
        "defi_bridge" | "bridge" => EntityKind::Bridge,
        "service" | "wallet_service" | "escrow_wallet" | "ico_wallet" | "filesharing" | "index"
        | "market" | "messaging_service" | "mining_service" | "gambling" | "search_engine"
        | "shop" | "faucet" | "payment_processor" | "atm" | "hosting" | "vpn" | "nameservice"
        | "defi_lending" | "defi_staking" | "defi_derivative" | "defi_custody" => {
            EntityKind::Service
        }
        "defi_dex" | "defi_dex_pair" | "router" => EntityKind::Router,
        "victim"
        | "perpetrator"
        | "actor"
        | "black_list"
        | "abuse"
        | "scam"
        | "sexual_abuse"
        | "child_sexual_abuse"
        | "violence"
        | "human_trafficking"
        | "murder"
        | "torture"
        | "financial_crime"
        | "investment_fraud"
        | "ponzi_scheme"
        | "pyramid_scheme"
        | "money_laundering"
        | "payment_card_fraud"
        | "extortion"
        | "sextortion"
        | "ransomware"
        | "phishing"
        | "hacking"
        | "service_hack"
        | "account_hack"
        | "exploit"
        | "data_breach"
        | "social_engineering"
        | "malware"
        | "drugs"
        | "weapons"
        | "sanction"
        | "counterfeit"
        | "extremism"
        | "terrorism"
        | "terrorism_financing" => EntityKind::Actor,
        // Words of later taxonomies are kept as they are and decide nothing.
        _ => EntityKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_ends_a_trail_decides_unless_the_address_is_only_mentioned() {
        assert_eq!(kind("sanction, mixing_service"), EntityKind::Mixer);
        assert_eq!(kind("hot_wallet, exchange"), EntityKind::Exchange);
        assert_eq!(kind("exchange, mention"), EntityKind::Other);
        assert_eq!(kind("defi_dex"), EntityKind::Router);
        assert_eq!(kind("ransomware"), EntityKind::Actor);
        assert_eq!(kind("coinjoin"), EntityKind::Other);
        assert_eq!(kind(""), EntityKind::Other);
        assert_eq!(kind("word of tomorrow"), EntityKind::Other);
    }

    #[test]
    fn every_kind_is_named_by_its_own_name() {
        for one in EntityKind::ALL {
            assert_eq!(kind(one.name()), one);
        }
    }
}

//! OFAC's list in its advanced format.

use hansel_heuristics::EntityKind;

use crate::{GENESIS, POOL, only_refusal, sdn};

/// Made after the published schema (`sdn_advanced.xml`), with two parties.
const LIST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Sanctions xmlns="http://www.un.org/sanctions/1.0" Version="3">
  <DateOfIssue CalendarTypeID="1"><Year>2024</Year><Month>9</Month><Day>26</Day></DateOfIssue>
  <ReferenceValueSets>
    <FeatureTypeValues>
      <FeatureType ID="344" FeatureTypeGroupID="1">Digital Currency Address - XBT</FeatureType>
      <FeatureType ID="345" FeatureTypeGroupID="1">Digital Currency Address - ETH</FeatureType>
      <FeatureType ID="887" FeatureTypeGroupID="1">Digital Currency Address - USDT</FeatureType>
      <FeatureType ID="444" FeatureTypeGroupID="1">Digital Currency Address - XMR</FeatureType>
      <FeatureType ID="992" FeatureTypeGroupID="1">Digital Currency Address - TRX</FeatureType>
      <FeatureType ID="8" FeatureTypeGroupID="1">Birthdate</FeatureType>
    </FeatureTypeValues>
  </ReferenceValueSets>
  <DistinctParties>
    <DistinctParty FixedRef="100">
      <Comment />
      <Profile ID="100" PartySubTypeID="4">
        <Identity ID="1" FixedRef="100" Primary="true" False="false">
          <Alias FixedRef="100" AliasTypeID="1400" Primary="false" LowQuality="false">
            <DocumentedName ID="2" FixedRef="100" DocNameStatusID="1">
              <DocumentedNamePart><NamePartValue NamePartGroupID="3">OTHER</NamePartValue></DocumentedNamePart>
            </DocumentedName>
          </Alias>
          <Alias FixedRef="100" AliasTypeID="1403" Primary="true" LowQuality="false">
            <DocumentedName ID="1" FixedRef="100" DocNameStatusID="1">
              <DocumentedNamePart><NamePartValue NamePartGroupID="1">DOE &amp; SONS</NamePartValue></DocumentedNamePart>
              <DocumentedNamePart><NamePartValue NamePartGroupID="2">&#74;ohn</NamePartValue></DocumentedNamePart>
            </DocumentedName>
            <DocumentedName ID="3" FixedRef="100" DocNameStatusID="2">
              <DocumentedNamePart><NamePartValue NamePartGroupID="1">ДОУ</NamePartValue></DocumentedNamePart>
            </DocumentedName>
          </Alias>
        </Identity>
        <Feature ID="10" FeatureTypeID="8">
          <FeatureVersion ID="11"><VersionDetail DetailTypeID="1432">1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa</VersionDetail></FeatureVersion>
        </Feature>
        <Feature ID="12" FeatureTypeID="344">
          <FeatureVersion ID="13"><Comment /><VersionDetail DetailTypeID="1432">1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa</VersionDetail></FeatureVersion>
        </Feature>
        <Feature ID="14" FeatureTypeID="992">
          <FeatureVersion ID="15"><VersionDetail DetailTypeID="1432">TN2AfKEQeNRUjVuVJwuFbKDkVqK2sPDKtB</VersionDetail></FeatureVersion>
        </Feature>
      </Profile>
    </DistinctParty>
    <DistinctParty FixedRef="200">
      <Profile ID="200" PartySubTypeID="3">
        <Feature ID="20" FeatureTypeID="345">
          <FeatureVersion ID="21"><VersionDetail DetailTypeID="1432">0xA160cdAB225685dA1d56aa342Ad8841c3b53f291</VersionDetail></FeatureVersion>
        </Feature>
        <Feature ID="22" FeatureTypeID="887">
          <FeatureVersion ID="23"><VersionDetail DetailTypeID="1432">0x47CE0C6eD5B0Ce3d3A51fdb1C52DC66a7c3c2936</VersionDetail></FeatureVersion>
        </Feature>
      </Profile>
    </DistinctParty>
  </DistinctParties>
</Sanctions>
"#;

#[test]
fn addresses_are_those_of_parties_by_the_features_that_the_list_defines() {
    let pack = sdn(LIST.as_bytes()).unwrap();
    assert!(pack.refused.is_empty(), "{:?}", pack.refused);
    let labels: Vec<_> = pack.labels().collect();
    let found: Vec<_> = labels
        .iter()
        .map(|(address, label)| (label.network.as_str(), *address))
        .collect();
    assert_eq!(
        found,
        [
            ("bitcoin", GENESIS),
            ("ethereum", POOL),
            ("evm", "0x47CE0C6eD5B0Ce3d3A51fdb1C52DC66a7c3c2936"),
        ]
    );
    let label = &labels[0].1;
    assert_eq!(label.label, "DOE & SONS John");
    assert_eq!(label.kind, EntityKind::Actor);
    assert_eq!(label.category, "sanction");
    assert_eq!(label.confidence, "authority_data");
    assert_eq!(label.source, "OFAC SDN list of 2024-09-26, profile 100");
    assert_eq!(labels[1].1.label, "party 200 of OFAC's list");
    assert_eq!(pack.about.passed_over.get("TRX"), Some(&1));
    assert_eq!(pack.about.title, "OFAC's list of 2024-09-26");
}

#[test]
fn a_label_is_as_of_the_lists_day_because_the_list_dates_no_address() {
    let pack = sdn(LIST.as_bytes()).unwrap();
    for (_, label) in pack.labels() {
        assert_eq!(label.as_of.as_deref(), Some("2024-09-26"));
    }
    let later = LIST.replace("<Year>2024</Year>", "<Year>2031</Year>");
    let pack = sdn(later.as_bytes()).unwrap();
    assert_eq!(pack.refusals, 3);
    assert!(
        pack.refused[0]
            .to_string()
            .contains("2031-09-26 is in the future")
    );
}

#[test]
fn a_list_cut_anywhere_is_refused_with_its_line() {
    let end = LIST.rfind("</Sanctions>").unwrap() + "</Sanctions".len();
    for length in 0..=end {
        let Some(half) = LIST.get(..length) else {
            continue;
        };
        let refusal = sdn(half.as_bytes()).expect_err(half);
        let lines = half.matches('\n').count() + 1;
        assert_eq!(
            refusal.place.line,
            u64::try_from(lines).unwrap(),
            "{refusal} of {half}"
        );
    }
    let half = &LIST[..LIST.find("Feature ID=\"14\"").unwrap()];
    let refusal = sdn(half.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "file, line 40: the file ends here, inside `Profile`: the rest of it is missing"
    );
}

#[test]
fn document_types_entities_and_deep_nesting_are_refused() {
    let with = |old: &str, new: &str| sdn(LIST.replacen(old, new, 1).as_bytes());
    let doctype = with(
        "<Sanctions",
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<Sanctions",
    );
    assert!(doctype.unwrap_err().to_string().contains("document type"));
    let entity = with("&amp;", "&e;").unwrap_err();
    assert_eq!(entity.place.line, 26, "{entity}");
    let deep = with("<Comment />", &"<a>".repeat(1_000));
    assert!(deep.unwrap_err().to_string().contains("nesting"));
}

#[test]
fn another_xml_and_what_is_no_xml_are_refused() {
    let simple = sdn(b"<?xml version=\"1.0\"?>\n<sdnList></sdnList>").unwrap_err();
    assert_eq!(
        simple.to_string(),
        "file, line 2: not OFAC's advanced format (sdn_advanced.xml): it begins with `sdnList`, not with `Sanctions`"
    );
    assert!(sdn(b"").is_err());
    assert!(sdn(b"title: t\ntags: []\n").is_err());
    assert!(sdn(&[0xff; 1000]).is_err());
    assert!(sdn(b"<Sanctions>\n</Other>").is_err());
}

#[test]
fn a_malformed_address_is_named_and_the_rest_is_read() {
    let text = LIST.replace(POOL, "0xa160cdAB225685dA1d56aa342Ad8841c3b53f291");
    let pack = sdn(text.as_bytes()).unwrap();
    assert!(
        only_refusal(&pack).starts_with("file, line 48: "),
        "{}",
        only_refusal(&pack)
    );
    assert_eq!(pack.len(), 2);
}

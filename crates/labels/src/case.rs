//! The addresses of a case file as labels, so that a known theft is told in one place only.

use hansel_heuristics::{CaseAddress, CaseConfidence, CaseFile, CaseParty};

use crate::pack::{Format, Pack};
use crate::place::Refusal;
use crate::reader::{Claim, Intake, Reader, Said};

impl Reader<'_> {
    /// The labels of the case's addresses, one for each chain that an address is named on.
    ///
    /// Case files date their facts by no day, so these labels have none.
    pub fn case(&self, case: &CaseFile) -> Result<Pack, Refusal> {
        let mut intake = Intake::new(self);
        for address in &case.addresses {
            for chain in &address.chains {
                take(&mut intake, case, address, chain)?;
            }
        }
        Ok(intake.done(Format::Case, case.title.clone(), "hansel".into()))
    }
}

fn take(
    intake: &mut Intake<'_>,
    case: &CaseFile,
    address: &CaseAddress,
    chain: &str,
) -> Result<(), Refusal> {
    let label = format!("{}: {}", case.name, address.role);
    let source = sources(case, &address.sources);
    let said = |text| {
        Some(Said {
            text,
            line: 1,
            column: None,
        })
    };
    intake.take(&Claim {
        line: 1,
        network: said(chain),
        address: said(&address.address),
        label: said(&label),
        actor: said(&case.name),
        category: said(category(address.party)),
        source: said(&source),
        confidence: said(confidence(address.confidence)),
        as_of: None,
    })
}

/// What the sources of a fact are, one after the other.
fn sources(case: &CaseFile, ids: &[String]) -> String {
    let named = case.sources.iter().filter(|one| ids.contains(&one.id));
    let texts: Vec<&str> = named.map(|one| one.text.as_str()).collect();
    texts.join("; ")
}

fn category(party: CaseParty) -> &'static str {
    match party {
        CaseParty::Thief => "perpetrator",
        CaseParty::Victim => "victim",
        CaseParty::Service => "service",
        CaseParty::Other => "",
    }
}

/// The word of the TagPack taxonomy that comes nearest.
fn confidence(confidence: CaseConfidence) -> &'static str {
    match confidence {
        CaseConfidence::High => "forensic_investigation",
        CaseConfidence::Medium => "forensic",
        CaseConfidence::Low => "web_crawl",
    }
}

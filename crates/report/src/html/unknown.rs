//! What is not known, and the conditions under which the rest holds.

use maud::{Markup, html};

use super::{LONGEST, section as framed};
use crate::text::{Page, conditions, counted, unknown};
use crate::units::grouped;
use crate::visible::clipped;

/// How many gaps of one kind are listed.
const LISTED: usize = 50;

fn gaps_section(page: &Page<'_>) -> Markup {
    let groups = unknown::groups(page);
    framed(
        "unknown",
        "What is not known",
        html! {
            @if groups.is_empty() { p { "Nothing that was asked for is missing." } }
            @for (kind, gaps) in groups {
                details open[gaps.len() <= 5] {
                    summary { (clipped(kind, LONGEST)) ": " (counted(gaps.len(), "gap")) }
                    ul {
                        @for (subject, detail) in gaps.iter().take(LISTED) { li { span.id { (clipped(subject, LONGEST)) } ": " (clipped(detail, LONGEST)) } }
                        @if gaps.len() > LISTED { li { "and " (gaps.len() - LISTED) " more like these; the JSON format lists all" } }
                    }
                }
            }
        },
    )
}

fn conditions_section(page: &Page<'_>) -> Markup {
    let report = page.report;
    framed(
        "conditions",
        "Conditions",
        html! {
            dl {
                dt { "Asked for" } dd.id { (conditions::subjects(page)) }
                dt { "Limits" } dd { (conditions::limits(page)) }
                @for decision in conditions::decisions(page) { dt { "Decided" } dd.id { (decision) } }
                @for tip in &report.tips {
                    dt { "Blocks of " (clipped(&tip.chain, LONGEST)) }
                    dd { "up to " (grouped(&tip.height.to_string())) ", " span.id { (clipped(&tip.hash, LONGEST)) } }
                }
                @for source in &report.sources {
                    dt { "Endpoint" }
                    dd { (clipped(&source.endpoint, LONGEST)) ": " (grouped(&source.requests.to_string())) " requests, " (grouped(&source.bytes.to_string())) " bytes, " (grouped(&source.retries.to_string())) " retries" }
                }
            }
        },
    )
}

pub(super) fn section(page: &Page<'_>) -> Markup {
    html! { (gaps_section(page)) (conditions_section(page)) }
}

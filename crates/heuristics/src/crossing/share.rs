//! How the taint and the claims of what left are shared by what arrived.
//!
//! What is paid back is an amount of what left, and takes that part of the claims. What is paid on shares the rest in
//! proportion to its amounts, so that one payout carries all of it and several lose nothing between them. Shares are
//! differences of rounded sums: they never exceed the whole, and where anything was paid on they sum to it exactly.

use hansel_ledger::{Amount, AmountError};

use super::Reason;

/// What arrived: whether it was paid on or back, and how much.
pub type Part = (Reason, Amount);

/// The share of a claim that each arrival carries, in their order. `left` is how much left the chain.
pub fn claims(claim: Amount, left: Amount, arrivals: &[Part]) -> Result<Vec<Amount>, AmountError> {
    let refunded = refunds(left, arrivals)?;
    let back = portion(claim, refunded, left)?;
    let rest = claim.checked_sub(back)?;
    let paid = total(arrivals, Reason::Paid)?;
    let (mut back_so_far, mut paid_so_far) = (Amount::ZERO, Amount::ZERO);
    let mut shares = Vec::with_capacity(arrivals.len());
    for (reason, amount) in arrivals {
        let (sum, whole, of) = match reason {
            Reason::Refunded => (&mut back_so_far, left, claim),
            Reason::Paid => (&mut paid_so_far, paid, rest),
        };
        let before = portion(of, *sum, whole)?;
        *sum = sum.checked_add(*amount)?.min(whole);
        shares.push(portion(of, *sum, whole)?.checked_sub(before)?);
    }
    Ok(shares)
}

/// The stolen part of an arrival: as much of it as of what left.
pub fn tainted(arrived: Amount, tainted: Amount, left: Amount) -> Result<Amount, AmountError> {
    portion(arrived, tainted.min(left), left)
}

/// What was paid back, as far as it left.
fn refunds(left: Amount, arrivals: &[Part]) -> Result<Amount, AmountError> {
    Ok(total(arrivals, Reason::Refunded)?.min(left))
}

fn total(arrivals: &[Part], of: Reason) -> Result<Amount, AmountError> {
    let of = arrivals.iter().filter(|(reason, _)| *reason == of);
    Amount::checked_sum(of.map(|(_, amount)| *amount))
}

fn portion(amount: Amount, part: Amount, whole: Amount) -> Result<Amount, AmountError> {
    if part >= whole {
        return Ok(if whole.is_zero() {
            Amount::ZERO
        } else {
            amount
        });
    }
    amount.mul_div(part, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(claim: u64, left: u64, arrivals: &[(Reason, u64)]) -> Vec<String> {
        let arrivals: Vec<Part> = arrivals
            .iter()
            .map(|(reason, amount)| (*reason, Amount::from(*amount)))
            .collect();
        let shares = claims(claim.into(), left.into(), &arrivals).unwrap();
        shares.iter().map(ToString::to_string).collect()
    }

    const PAID: Reason = Reason::Paid;
    const BACK: Reason = Reason::Refunded;

    #[test]
    fn one_payout_carries_every_claim_whatever_it_is_worth() {
        assert_eq!(shares(100, 100, &[(PAID, 3)]), ["100"]);
        assert_eq!(shares(7, 100, &[(PAID, 5_000_000)]), ["7"]);
    }

    #[test]
    fn several_payouts_lose_nothing_between_them() {
        assert_eq!(
            shares(100, 100, &[(PAID, 1), (PAID, 1), (PAID, 1)]),
            ["33", "33", "34"]
        );
        assert_eq!(shares(1, 100, &[(PAID, 1), (PAID, 1)]), ["0", "1"]);
    }

    #[test]
    fn a_refund_takes_its_part_and_the_payout_the_rest() {
        assert_eq!(shares(100, 100, &[(BACK, 40), (PAID, 9)]), ["40", "60"]);
        assert_eq!(shares(50, 100, &[(PAID, 9), (BACK, 41)]), ["30", "20"]);
    }

    #[test]
    fn a_refund_alone_leaves_the_fee_of_the_bridge_where_it_is() {
        assert_eq!(shares(100, 100, &[(BACK, 90)]), ["90"]);
        assert_eq!(shares(100, 100, &[(BACK, 90), (BACK, 90)]), ["90", "10"]);
    }

    #[test]
    fn nothing_left_or_nothing_arrived_carries_nothing() {
        assert_eq!(shares(100, 0, &[(PAID, 0), (BACK, 5)]), ["0", "0"]);
        assert!(shares(100, 100, &[]).is_empty());
    }

    #[test]
    fn an_arrival_is_stolen_as_far_as_what_left_was() {
        let part = |arrived: u64, stolen: u64, left: u64| {
            tainted(arrived.into(), stolen.into(), left.into()).unwrap()
        };
        assert_eq!(part(1_000, 100, 100), Amount::from(1_000));
        assert_eq!(part(1_000, 33, 100), Amount::from(330));
        assert_eq!(part(3, 33, 100), Amount::ZERO);
        assert_eq!(part(3, 330, 100), Amount::from(3));
    }
}

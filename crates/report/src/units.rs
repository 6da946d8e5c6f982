//! Amounts for people: base units become decimals by placing a point, never by dividing.

use hansel_ledger::Amount;

/// Writes an amount with its decimals and with thousands separators: `4,502.90000000`.
///
/// Every decimal is written, so that no digit of a base unit is hidden or rounded.
pub fn format_units(amount: Amount, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let digits = format!(
        "{amount:0>width$}",
        amount = amount.to_string(),
        width = decimals + 1
    );
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let whole = grouped(whole);
    if fraction.is_empty() {
        whole
    } else {
        format!("{whole}.{fraction}")
    }
}

/// Writes a whole number with thousands separators.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(amount: &str, decimals: u8) -> String {
        format_units(amount.parse().unwrap(), decimals)
    }

    #[test]
    fn every_digit_of_an_amount_is_shown() {
        assert_eq!(shown("450290000000", 8), "4,502.90000000");
        assert_eq!(shown("0", 8), "0.00000000");
        assert_eq!(shown("1", 8), "0.00000001");
        assert_eq!(shown("100000000", 8), "1.00000000");
        assert_eq!(shown("99999999999", 8), "999.99999999");
        assert_eq!(shown("100000000000", 8), "1,000.00000000");
        assert_eq!(shown("1234567", 0), "1,234,567");
        assert_eq!(shown("7", 30), format!("0.{}7", "0".repeat(29)));
    }

    #[test]
    fn the_largest_amount_keeps_all_its_digits() {
        let largest =
            "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        let text = shown(largest, 18);
        assert_eq!(
            text,
            "115,792,089,237,316,195,423,570,985,008,687,907,853,269,984,665,640,564,039,457.584007913129639935"
        );
    }
}

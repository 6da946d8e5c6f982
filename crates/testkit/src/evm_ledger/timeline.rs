//! When blocks were made: given for some, spread evenly between them.

/// Seconds between blocks where nothing else is known.
const SLOT: u64 = 12;

/// The times of some blocks, ascending.
#[derive(Clone, Debug)]
pub(super) struct Timeline(Vec<(u64, u64)>);

impl Timeline {
    /// From heights and times; at least one.
    pub(super) fn new(mut known: Vec<(u64, u64)>) -> Self {
        known.sort_unstable();
        known.dedup_by_key(|(height, _)| *height);
        if known.is_empty() {
            known.push((0, 1_438_269_973));
        }
        Self(known)
    }

    /// The time of a block.
    pub(super) fn time(&self, height: u64) -> u64 {
        let after = self.0.partition_point(|(known, _)| *known <= height);
        let before = after.checked_sub(1).and_then(|index| self.0.get(index));
        match (before, self.0.get(after)) {
            (Some(&from), Some(&to)) => between(from, to, height),
            (Some(&(known, time)), None) => time + SLOT * (height - known),
            (None, Some(&(known, time))) => time.saturating_sub(SLOT * (known - height)),
            (None, None) => 0,
        }
    }
}

fn between(from: (u64, u64), to: (u64, u64), height: u64) -> u64 {
    let span = to.1.saturating_sub(from.1);
    from.1 + span * (height - from.0) / (to.0 - from.0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_rise_through_the_known_ones() {
        let timeline = Timeline::new(vec![(110, 2_120), (100, 2_000)]);
        assert_eq!(timeline.time(99), 1_988);
        assert_eq!(timeline.time(100), 2_000);
        assert_eq!(timeline.time(105), 2_060);
        assert_eq!(timeline.time(110), 2_120);
        assert_eq!(timeline.time(111), 2_132);
        assert_eq!(timeline.time(0), 800);
    }
}

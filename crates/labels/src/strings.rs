//! Many short texts in one piece of memory, each kept once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// The number of a text among [`Strings`].
pub(crate) type Number = u32;

/// Texts by number; number 0 is the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strings {
    text: String,
    /// Where each text ends.
    ends: Vec<u32>,
}

impl Strings {
    /// The text of a number that [`Self::check`] has let pass.
    pub(crate) fn get(&self, number: Number) -> &str {
        let at = |number: usize| self.ends.get(number).map_or(0, |end| index(*end));
        let number = index(number);
        let start = number.checked_sub(1).map_or(0, at);
        self.text.get(start..at(number)).unwrap_or_default()
    }

    /// True where `number` is that of a text.
    pub(crate) fn check(&self, number: Number) -> bool {
        index(number) < self.ends.len()
    }

    /// All texts, one after the other, and where each ends.
    pub(crate) fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// Puts texts together again; `None` unless `ends` cuts the text into whole characters, first the empty text.
    pub(crate) fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let whole = ends.last().map(|end| index(*end)) == Some(text.len());
        let cuts = ends.is_sorted() && ends.iter().all(|end| text.is_char_boundary(index(*end)));
        (whole && cuts && ends.first() == Some(&0)).then_some(Self { text, ends })
    }
}

/// A 32-bit number as an index: the machines this runs on have at least that many bits.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).expect("memory is addressed by at least 32 bits")
}

/// Gathers texts, each once.
#[derive(Debug)]
pub(crate) struct Gathering {
    strings: Strings,
    numbers: HashTable<Number>,
    hasher: DefaultHashBuilder,
}

impl Gathering {
    pub(crate) fn new() -> Self {
        let mut new = Self {
            strings: Strings {
                text: String::new(),
                ends: Vec::new(),
            },
            numbers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        };
        new.number("").expect("one empty text is not too much");
        new
    }

    /// The number of a text, new if need be; `None` where numbers or bytes run out, at 4 GiB.
    pub(crate) fn number(&mut self, text: &str) -> Option<Number> {
        let hash = self.hasher.hash_one(text);
        let same = |number: &Number| self.strings.get(*number) == text;
        if let Some(number) = self.numbers.find(hash, same) {
            return Some(*number);
        }
        let number = Number::try_from(self.strings.ends.len()).ok()?;
        let end = u32::try_from(self.strings.text.len().checked_add(text.len())?).ok()?;
        self.strings.text.push_str(text);
        self.strings.ends.push(end);
        let Self {
            strings,
            numbers,
            hasher,
        } = self;
        let rehash = |number: &Number| hasher.hash_one(strings.get(*number));
        numbers.insert_unique(hash, number, rehash);
        Some(number)
    }

    pub(crate) fn done(self) -> Strings {
        self.strings
    }
}

//! A party of OFAC's list while it is read.

/// What the list says of a party.
#[derive(Debug, Default)]
pub(super) struct Party {
    pub(super) profile: String,
    /// The type of the feature that is open, or of the feature type that is being defined.
    pub(super) feature_type: String,
    pub(super) features: Vec<Feature>,
    primary_identity: bool,
    primary_alias: bool,
    /// How many spellings of the primary name have begun; the first is in Latin letters.
    spellings: u32,
    name: Vec<String>,
}

/// An address of a party.
#[derive(Debug)]
pub(super) struct Feature {
    pub(super) ticker: String,
    pub(super) address: String,
    pub(super) line: u64,
}

impl Feature {
    /// The chain that is meant.
    ///
    /// Tokens are listed without their chain; an address of an EVM chain then stands for all of them.
    pub(super) fn network(&self) -> &str {
        let token = matches!(self.ticker.as_str(), "USDT" | "USDC" | "DAI");
        match self.address.get(..2) {
            Some("0x" | "0X") if token => "evm",
            Some("bc" | "BC") if token => "bitcoin",
            // Omni, the first chain of USDT, has Bitcoin's addresses.
            Some(start) if token && start.starts_with(['1', '3']) => "bitcoin",
            _ => &self.ticker,
        }
    }
}

impl Party {
    pub(super) fn identity(&mut self, primary: &str) {
        self.primary_identity = primary == "true";
    }

    pub(super) fn alias(&mut self, primary: &str) {
        self.primary_alias = self.primary_identity && primary == "true";
    }

    pub(super) fn documented_name(&mut self) {
        if self.primary_alias {
            self.spellings += 1;
        }
    }

    pub(super) fn name_part(&mut self, text: &str) {
        if self.primary_alias && self.spellings == 1 {
            self.name.push(text.to_owned());
        }
    }

    pub(super) fn name(&self) -> String {
        if self.name.is_empty() {
            return format!("party {} of OFAC's list", self.profile);
        }
        self.name.join(" ")
    }

    pub(super) fn source(&self, day: Option<&str>) -> String {
        let issued = day.map_or(String::new(), |day| format!(" of {day}"));
        format!("OFAC SDN list{issued}, profile {}", self.profile)
    }
}

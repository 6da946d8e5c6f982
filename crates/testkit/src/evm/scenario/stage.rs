//! The cast, the contracts that they use, and the start of the story.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, address};
use hansel_ledger::Coin;

use super::book::Effect;
use super::teller::{Act, Teller};
use super::{EvmStory, EvmStoryError};
use crate::evm::{EvmContract, EvmKey, EvmRpc, evm_call};

/// Those who have keys, in the order of their numbers.
const CAST: [&str; 32] = [
    "deployer",
    "provider",
    "victim",
    "thief",
    "relay1",
    "relay2",
    "relay3",
    "partner",
    "mixer-relayer",
    "fresh1",
    "fresh2",
    "fresh3",
    "courier",
    "elsewhere",
    "heir",
    "owner",
    "operator",
    "beneficiary",
    "payee1",
    "payee2",
    "payee3",
    "payee4",
    "payee5",
    "collector",
    "lookalike1",
    "lookalike2",
    "lookalike3",
    "spammer",
    "quiet",
    "deposit",
    "hot",
    "cold",
];

/// Where CoW Protocol settles on every chain.
const SETTLEMENT: Address = address!("0x9008D19f58AAbD9eD0D60971565AA8510560ab41");

/// A cent of ether, in wei.
const CENT: u64 = 10_000_000_000_000_000;

/// So many whole ethers, or whole coins of another token of 18 decimals.
pub(super) fn ether(whole: u64) -> U256 {
    cents(whole) * U256::from(100)
}

/// So many hundredths of an ether.
pub(super) fn cents(hundredths: u64) -> U256 {
    U256::from(hundredths) * U256::from(CENT)
}

/// So many whole coins of a token of 6 decimals.
pub(super) fn dollars(whole: u64) -> U256 {
    U256::from(whole) * U256::from(1_000_000)
}

/// The node with the story's contracts and people.
pub(super) struct Stage {
    pub(super) teller: Teller,
    pub(super) names: BTreeMap<&'static str, Address>,
}

impl Stage {
    /// Gives everybody ether to begin with and creates the contracts.
    pub(super) fn set(rpc: &EvmRpc) -> Result<Self, EvmStoryError> {
        let mut stage = Self {
            teller: Teller::new(*rpc)?,
            names: CAST
                .iter()
                .map(|name| (*name, key(name).address()))
                .collect(),
        };
        stage.names.insert("faucet", EvmKey::faucet().address());
        stage.fund()?;
        stage.deploy()?;
        Ok(stage)
    }

    fn fund(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("funding");
        for (name, amount) in [
            ("deployer", 100),
            ("provider", 10_000),
            ("victim", 500),
            ("thief", 5),
            ("mixer-relayer", 1),
            ("operator", 1),
            ("spammer", 1),
            ("relay1", 1),
            ("relay2", 1),
            ("relay3", 1),
            ("hot", 1_000),
        ] {
            let act = Act::pay(self.at(name), ether(amount));
            self.teller.act(&EvmKey::faucet(), act)?;
        }
        self.teller.block()
    }

    fn deploy(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("deployment");
        self.deploy_token("usd", "Token", dollars(1_000_000_000))?;
        self.deploy_token("gold", "Token", ether(10_000_000))?;
        let parameters = (ether(1_000_000), self.at("collector"));
        let code = EvmContract::named("FeeToken").with(parameters);
        self.deploy_code("taxed", code, ether(1_000_000))?;
        self.deploy_plain("counterfeit", "ForgingToken")?;
        self.deploy_plain("weth", "Weth")?;
        self.teller.block()?;
        let (usd, gold, weth) = (self.at("usd"), self.at("gold"), self.at("weth"));
        for (name, token) in [("usd-pair", usd), ("gold-pair", gold)] {
            let code = EvmContract::named("Pair").with((token, weth));
            self.deploy_code(name, code, U256::ZERO)?;
        }
        let code = EvmContract::named("Router").with((weth,));
        self.deploy_code("router", code, U256::ZERO)?;
        for (name, contract) in [
            ("batch-payer", "BatchPayer"),
            ("forwarder", "Forwarder"),
            ("stubborn", "Stubborn"),
            ("refuser", "Refuser"),
        ] {
            self.deploy_plain(name, contract)?;
        }
        self.teller.block()?;
        self.deploy_rest()
    }

    fn deploy_rest(&mut self) -> Result<(), EvmStoryError> {
        let code = EvmContract::named("Mixer").with((ether(1),));
        self.deploy_code("mixer", code, U256::ZERO)?;
        let code = EvmContract::named("Proxy").with((self.at("forwarder"),));
        self.deploy_code("proxy", code, U256::ZERO)?;
        for (name, contract) in [
            ("spam-contract", "Spammer"),
            ("factory", "Factory"),
            ("delegate", "Delegate"),
            ("entry-point", "EntryPoint"),
        ] {
            self.deploy_plain(name, contract)?;
        }
        let rpc = self.teller.rpc();
        rpc.set_code(SETTLEMENT, &EvmContract::named("Settlement").runtime)?;
        self.names.insert("settlement", SETTLEMENT);
        self.teller.block()
    }

    fn deploy_token(
        &mut self,
        name: &'static str,
        contract: &str,
        supply: U256,
    ) -> Result<(), EvmStoryError> {
        let code = EvmContract::named(contract).with((supply,));
        self.deploy_code(name, code, supply)
    }

    fn deploy_plain(&mut self, name: &'static str, contract: &str) -> Result<(), EvmStoryError> {
        let code = EvmContract::named(contract).creation.clone();
        self.deploy_code(name, code, U256::ZERO)
    }

    /// Creates a contract; where it is a token, its supply belongs to its maker.
    fn deploy_code(
        &mut self,
        name: &'static str,
        code: Bytes,
        supply: U256,
    ) -> Result<(), EvmStoryError> {
        let maker = self.at("deployer");
        let contract = maker.create(self.teller.nonce(maker));
        self.names.insert(name, contract);
        let (to, token, amount) = (maker, contract, supply);
        let made = Effect::Make { to, token, amount };
        let effects = (!supply.is_zero()).then_some(made);
        let act = Act::create(code).moving(Vec::from_iter(effects));
        self.teller.act(&key("deployer"), act)?;
        Ok(())
    }

    /// The account of a name that the story has introduced.
    pub(super) fn at(&self, name: &str) -> Address {
        let known = self.names.get(name);
        *known.unwrap_or_else(|| panic!("{name} has not been introduced"))
    }

    /// Has somebody do something in the next block.
    pub(super) fn act(&mut self, who: &str, act: Act) -> Result<B256, EvmStoryError> {
        self.teller.act(&key(who), act)
    }

    /// Has somebody do something in a block of its own.
    pub(super) fn alone(&mut self, who: &str, act: Act) -> Result<B256, EvmStoryError> {
        self.teller.alone(&key(who), act)
    }

    /// Has somebody pay ether to somebody, in a block of its own.
    pub(super) fn pay(&mut self, who: &str, to: &str, amount: U256) -> Result<B256, EvmStoryError> {
        let act = Act::pay(self.at(to), amount);
        self.alone(who, act)
    }

    /// Has somebody pay an honest token to somebody, in a block of its own.
    pub(super) fn send(
        &mut self,
        who: &str,
        token: &str,
        to: &str,
        amount: U256,
    ) -> Result<B256, EvmStoryError> {
        let (from, token, to) = (self.at(who), self.at(token), self.at(to));
        let data = evm_call("transfer(address,uint256)", (to, amount));
        let effects = [Effect::token(token, from, to, amount)];
        self.alone(who, Act::call(token, data).moving(effects))
    }

    /// Lets a contract take all of somebody's tokens, in the next block.
    pub(super) fn approve(
        &mut self,
        who: &str,
        token: &str,
        spender: &str,
    ) -> Result<B256, EvmStoryError> {
        let parameters = (self.at(spender), U256::MAX);
        let data = evm_call("approve(address,uint256)", parameters);
        self.act(who, Act::call(self.at(token), data))
    }

    /// What somebody holds of a token.
    pub(super) fn holds(&self, who: &str, token: &str) -> U256 {
        let coin = Coin::Token(self.at(token));
        self.teller.book.holds(self.at(who), coin)
    }

    pub(super) fn finish(self) -> Result<EvmStory, EvmStoryError> {
        let chain_id = self.teller.chain_id();
        let (deeds, book) = self.teller.finish();
        Ok(EvmStory {
            chain_id,
            accounts: self.names,
            deeds,
            balances: book.into_balances(),
        })
    }
}

/// The key of one of the cast.
pub(super) fn key(name: &str) -> EvmKey {
    let place = CAST.iter().position(|other| *other == name);
    let place = place.unwrap_or_else(|| panic!("{name} has no key"));
    EvmKey::numbered(u32::try_from(place + 1).expect("the cast is small"))
}

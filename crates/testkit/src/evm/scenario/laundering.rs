//! The theft and what the thief does with the spoils.

use alloy_primitives::{B256, U256};

use super::EvmStoryError;
use super::book::Effect;
use super::market::{DOLLARS_TO_GOLD, ETHER_TO_DOLLARS, GOLD_TO_ETHER};
use super::stage::{Stage, cents, dollars, ether};
use super::teller::Act;
use crate::evm::{EvmContract, evm_call};

impl Stage {
    pub(super) fn launder(&mut self) -> Result<(), EvmStoryError> {
        self.steal()?;
        self.split()?;
        self.swap_spoils()?;
        self.wrap_spoils()?;
        self.provide_liquidity()?;
        self.mix()?;
        self.pay_batches()?;
        self.rest()
    }

    fn steal(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("theft");
        self.pay("victim", "thief", ether(100))?;
        self.send("victim", "usd", "thief", dollars(50_000))?;
        self.send_taxed("victim", "thief", ether(1_000))?;
        self.teller.scene("taxed");
        self.send_taxed("thief", "relay3", ether(500)).map(drop)
    }

    /// The thief's own contract divides 30 ether and one wei among three relays.
    fn split(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("split");
        let thief = self.at("thief");
        let splitter = thief.create(self.teller.nonce(thief));
        self.names.insert("splitter", splitter);
        let relays = ["relay1", "relay2", "relay3"].map(|name| self.at(name));
        let code = EvmContract::named("Splitter").with((relays.to_vec(),));
        self.alone("thief", Act::create(code))?;
        let (amount, wei) = (ether(30) + U256::from(1), U256::from(1));
        let shares = [ether(10), ether(10), ether(10) + wei];
        let pairs = relays.iter().zip(shares);
        let effects: Vec<Effect> = pairs
            .map(|(relay, share)| Effect::native(splitter, *relay, share))
            .collect();
        let act = Act::pay(splitter, amount).with_gas(200_000);
        self.alone("thief", act.moving(effects)).map(drop)
    }

    fn swap_spoils(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("swaps");
        for token in ["usd", "gold"] {
            self.approve("thief", token, "router")?;
        }
        self.teller.block()?;
        self.swap("thief", DOLLARS_TO_GOLD, dollars(10_000), "thief")?;
        let half = self.holds("thief", "gold") / U256::from(2);
        self.swap_to_ether("thief", GOLD_TO_ETHER, half, "thief")?;
        self.swap_ether("relay1", ETHER_TO_DOLLARS, ether(5), "relay1")?;
        self.swap_ether("thief", ETHER_TO_DOLLARS, ether(2), "partner")?;
        let rest = self.holds("thief", "gold");
        self.swap_to_ether("thief", GOLD_TO_ETHER, rest, "partner")
            .map(drop)
    }

    fn wrap_spoils(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("wrapping");
        self.wrap("relay2", ether(4))?;
        self.send("relay2", "weth", "relay3", ether(1))?;
        self.unwrap("relay2", ether(3))?;
        self.unwrap("relay3", cents(40)).map(drop)
    }

    fn provide_liquidity(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("liquidity");
        self.wrap("relay1", ether(2))?;
        for token in ["usd", "weth", "usd-pair"] {
            self.approve("relay1", token, "router")?;
        }
        self.teller.block()?;
        let sides = [("usd", dollars(6_000)), ("weth", ether(2))];
        self.add_liquidity("relay1", "usd-pair", sides)?;
        // Others trade meanwhile, so that the shares are worth something else.
        self.swap_ether("provider", ETHER_TO_DOLLARS, ether(10), "provider")?;
        let shares = self.holds("relay1", "usd-pair");
        self.remove_liquidity("relay1", "usd-pair", ["usd", "weth"], shares)
            .map(drop)
    }

    /// Three deposits of one size, and three withdrawals that a relayer sends for a fee.
    fn mix(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("mixer");
        let (mixer, relayer) = (self.at("mixer"), self.at("mixer-relayer"));
        for note in 1..=3 {
            let data = evm_call("deposit(bytes32)", (B256::repeat_byte(note),));
            let act = Act::call(mixer, data).with_value(ether(1));
            self.act("relay2", act)?;
        }
        self.teller.block()?;
        for (note, name) in [(1, "fresh1"), (2, "fresh2"), (3, "fresh3")] {
            let (fresh, fee) = (self.at(name), cents(1));
            let parameters = (fresh, B256::repeat_byte(note), relayer, fee);
            let data = evm_call("withdraw(address,bytes32,address,uint256)", parameters);
            let effects = [
                Effect::native(mixer, fresh, ether(1) - fee),
                Effect::native(mixer, relayer, fee),
            ];
            self.alone("mixer-relayer", Act::call(mixer, data).moving(effects))?;
        }
        Ok(())
    }

    fn pay_batches(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("batch");
        let (thief, payer, usd) = (self.at("thief"), self.at("batch-payer"), self.at("usd"));
        let names = ["payee1", "payee2", "payee3", "payee4", "payee5"];
        let payees = names.map(|name| self.at(name)).to_vec();
        let amounts: Vec<U256> = (1..=5).map(cents).collect();
        let pairs = payees.iter().zip(&amounts);
        let effects: Vec<_> = pairs
            .map(|(to, amount)| Effect::native(payer, *to, *amount))
            .collect();
        let data = evm_call("payNative(address[],uint256[])", (payees.clone(), amounts));
        let act = Act::call(payer, data).with_value(cents(15));
        self.alone("thief", act.moving(effects))?;
        self.approve("thief", "usd", "batch-payer")?;
        let amounts: Vec<U256> = (1..=5).map(|place| dollars(100 * place)).collect();
        let pairs = payees.iter().zip(&amounts);
        let effects: Vec<_> = pairs
            .map(|(to, amount)| Effect::token(usd, thief, *to, *amount))
            .collect();
        let parameters = (usd, payees.clone(), amounts);
        let data = evm_call("payToken(address,address[],uint256[])", parameters);
        self.alone("thief", Act::call(payer, data).moving(effects))
            .map(drop)
    }

    /// A wallet that gets and never gives.
    fn rest(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("rest");
        self.pay("thief", "quiet", ether(3))?;
        self.send("thief", "usd", "quiet", dollars(500)).map(drop)
    }
}

//! What deceives a careless reader of the chain.

use alloy_primitives::{Address, Bytes, U256};

use super::EvmStoryError;
use super::book::Effect;
use super::stage::{Stage, cents, dollars, ether, key};
use super::teller::Act;
use crate::evm::{EvmContract, evm_call};

impl Stage {
    pub(super) fn try_tricks(&mut self) -> Result<(), EvmStoryError> {
        self.pay_through_proxy()?;
        self.refuse()?;
        self.fail()?;
        self.inherit()?;
        self.delegate()?;
        self.bundle()?;
        self.settle_auction()?;
        self.dust()?;
        self.spam()?;
        self.counterfeit()
    }

    /// The proxy's code is another's; the value moves once.
    fn pay_through_proxy(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("proxy");
        let (proxy, courier) = (self.at("proxy"), self.at("courier"));
        let data = evm_call("forward(address)", (courier,));
        let act = Act::call(proxy, data).with_value(ether(1));
        let effects = [Effect::native(proxy, courier, ether(1))];
        self.alone("relay1", act.moving(effects)).map(drop)
    }

    /// An inner call that carries value is reverted; the value then goes elsewhere.
    fn refuse(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("refusal");
        let (stubborn, elsewhere) = (self.at("stubborn"), self.at("elsewhere"));
        let parameters = (self.at("refuser"), elsewhere);
        let data = evm_call("attempt(address,address)", parameters);
        let act = Act::call(stubborn, data).with_value(ether(1));
        let effects = [Effect::native(stubborn, elsewhere, ether(1))];
        self.alone("relay2", act.moving(effects)).map(drop)
    }

    /// The whole transaction is reverted; only its gas is gone.
    fn fail(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("failure");
        let data = evm_call("take(address)", (self.at("elsewhere"),));
        let act = Act::call(self.at("refuser"), data).with_value(ether(1));
        self.alone("thief", act.failing()).map(drop)
    }

    /// A factory makes a contract with value, which destroys itself in favour of an heir.
    fn inherit(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("inheritance");
        let (factory, heir) = (self.at("factory"), self.at("heir"));
        let mortal = factory.create(1);
        self.names.insert("mortal", mortal);
        let act = Act::call(factory, evm_call("make()", ())).with_value(ether(2));
        self.alone(
            "thief",
            act.moving([Effect::native(factory, mortal, ether(2))]),
        )?;
        let act = Act::call(mortal, evm_call("die(address)", (heir,)));
        self.alone(
            "thief",
            act.moving([Effect::native(mortal, heir, ether(2))]),
        )
        .map(drop)
    }

    /// An account with a key runs a contract's code, and somebody else has it pay.
    fn delegate(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("delegation");
        let (owner, beneficiary, usd) = (self.at("owner"), self.at("beneficiary"), self.at("usd"));
        self.pay("thief", "owner", ether(3))?;
        self.send("thief", "usd", "owner", dollars(1_000))?;
        let chain_id = self.teller.chain_id();
        let grant = key("owner").grant(chain_id, self.at("delegate"), 0);
        self.teller.use_nonce(owner);
        let act = Act::pay(self.at("operator"), U256::ZERO).with_gas(100_000);
        self.alone("operator", act.granting(vec![grant]))?;
        let data = evm_call("execute(address,uint256)", (beneficiary, ether(2)));
        let effects = [Effect::native(owner, beneficiary, ether(2))];
        self.alone("operator", Act::call(owner, data).moving(effects))?;
        let parameters = (usd, beneficiary, dollars(900));
        let data = evm_call("executeToken(address,address,uint256)", parameters);
        let effects = [Effect::token(usd, owner, beneficiary, dollars(900))];
        self.alone("operator", Act::call(owner, data).moving(effects))
            .map(drop)
    }

    /// An account that is a contract pays ether and tokens by operations that its owner signed and somebody else
    /// submits, whose gas it pays back. Another operation of the bundle fails, and its account still pays for it.
    fn bundle(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("user-operation");
        let entry = self.at("entry-point");
        for name in ["smart", "smart2"] {
            let code = EvmContract::named("SmartAccount").with((entry,));
            let maker = self.at("thief");
            let made = maker.create(self.teller.nonce(maker));
            self.names.insert(name, made);
            self.act("thief", Act::create(code))?;
        }
        let (smart, other, usd) = (self.at("smart"), self.at("smart2"), self.at("usd"));
        self.teller.block()?;
        self.fill(smart, ether(4))?;
        self.fill(other, cents(5))?;
        self.send("thief", "usd", "smart", dollars(700))?;
        let receiver = self.at("beneficiary");
        let paying = evm_call("transfer(address,uint256)", (receiver, dollars(600)));
        let operations = vec![
            (smart, receiver, ether(3), Bytes::new(), cents(1)),
            (smart, usd, U256::ZERO, paying, cents(2)),
            // More than it has.
            (other, receiver, ether(1), Bytes::new(), cents(1)),
        ];
        let bundler = self.at("operator");
        let data = evm_call(
            "handleOps((address,address,uint256,bytes,uint256)[],address)",
            (operations, bundler),
        );
        let effects = [
            Effect::native(smart, entry, cents(1)),
            Effect::native(smart, entry, cents(2)),
            Effect::native(other, entry, cents(1)),
            Effect::native(smart, receiver, ether(3)),
            Effect::native(entry, bundler, cents(4)),
            Effect::token(usd, smart, receiver, dollars(600)),
        ];
        self.alone("operator", Act::call(entry, data).moving(effects))
            .map(drop)
    }

    /// Has the thief pay ether to a contract.
    fn fill(&mut self, account: Address, amount: U256) -> Result<(), EvmStoryError> {
        let act = Act::call(account, Bytes::new()).with_value(amount);
        self.alone("thief", act).map(drop)
    }

    /// The thief and the provider trade through a batch auction that a third party settles.
    fn settle_auction(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("auction");
        let (usd, gold) = (self.at("usd"), self.at("gold"));
        self.approve("thief", "usd", "settlement")?;
        self.approve("provider", "gold", "settlement")?;
        self.teller.block()?;
        let orders = [
            (self.at("thief"), usd, gold, dollars(5_000), ether(80)),
            (self.at("provider"), gold, usd, ether(80), dollars(5_000)),
        ];
        let data = evm_call(
            "settle((address,address,address,uint256,uint256)[])",
            (orders.to_vec(),),
        );
        let house = self.at("settlement");
        let sold =
            orders.map(|(owner, sold, _, amount, _)| Effect::token(sold, owner, house, amount));
        let bought =
            orders.map(|(owner, _, bought, _, amount)| Effect::token(bought, house, owner, amount));
        let effects = [sold, bought].concat();
        self.alone("operator", Act::call(house, data).moving(effects))
            .map(drop)
    }

    /// Amounts that nobody would miss reach everybody.
    fn dust(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("dust");
        for name in ["thief", "relay1", "relay2", "relay3", "quiet", "fresh1"] {
            let act = Act::pay(self.at(name), U256::from(1));
            self.act("spammer", act)?;
            self.send("spammer", "usd", name, U256::from(3))?;
        }
        Ok(())
    }

    /// Transfers of nothing from the thief's accounts to addresses that look like their partners'.
    fn spam(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("spam");
        let from = ["thief", "relay1", "quiet"].map(|name| self.at(name));
        let to = self.lookalikes();
        let data = evm_call(
            "spam(address,address[],address[])",
            (self.at("usd"), from.to_vec(), to),
        );
        let act = Act::call(self.at("spam-contract"), data);
        self.alone("spammer", act).map(drop)
    }

    /// A token that claims that the thief sent a million of it. Its logs are moves of nothing that exists.
    fn counterfeit(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("counterfeit");
        let parameters = (self.at("thief"), self.lookalikes(), dollars(1_000_000));
        let data = evm_call("forge(address,address[],uint256)", parameters);
        let act = Act::call(self.at("counterfeit"), data);
        self.alone("spammer", act)?;
        self.pay("thief", "courier", cents(1)).map(drop)
    }

    fn lookalikes(&self) -> Vec<Address> {
        let names = ["lookalike1", "lookalike2", "lookalike3"];
        names.map(|name| self.at(name)).to_vec()
    }
}

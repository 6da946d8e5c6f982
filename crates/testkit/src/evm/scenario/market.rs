//! Pools of two coins, and what goes through them.

use alloy_primitives::{Address, B256, U256};
use hansel_ledger::Coin;

use super::EvmStoryError;
use super::book::Effect;
use super::stage::{Stage, dollars, ether};
use super::teller::Act;
use crate::evm::evm_call;

/// A way from one coin to another: the coins in turn and the pools between them.
#[derive(Clone, Copy)]
pub(super) struct Route {
    coins: &'static [&'static str],
    pools: &'static [&'static str],
}

/// From dollars to the wrapped coin and on to gold.
pub(super) const DOLLARS_TO_GOLD: Route = Route {
    coins: &["usd", "weth", "gold"],
    pools: &["usd-pair", "gold-pair"],
};
/// From gold to the wrapped coin.
pub(super) const GOLD_TO_ETHER: Route = Route {
    coins: &["gold", "weth"],
    pools: &["gold-pair"],
};
/// From the wrapped coin to dollars.
pub(super) const ETHER_TO_DOLLARS: Route = Route {
    coins: &["weth", "usd"],
    pools: &["usd-pair"],
};

impl Stage {
    /// The honest provider fills both pools; everybody else gets tokens to begin with.
    pub(super) fn open_market(&mut self) -> Result<(), EvmStoryError> {
        self.teller.scene("market");
        self.send("deployer", "usd", "provider", dollars(20_000_000))?;
        self.send("deployer", "gold", "provider", ether(200_000))?;
        self.send("deployer", "usd", "victim", dollars(200_000))?;
        self.send("deployer", "usd", "thief", dollars(1_000))?;
        self.send("deployer", "usd", "spammer", dollars(1))?;
        self.send_taxed("deployer", "victim", ether(5_000))?;
        self.wrap("provider", ether(3_000))?;
        for token in ["usd", "gold", "weth"] {
            self.approve("provider", token, "router")?;
        }
        self.teller.block()?;
        self.add_liquidity(
            "provider",
            "usd-pair",
            [("usd", dollars(6_000_000)), ("weth", ether(2_000))],
        )?;
        self.add_liquidity(
            "provider",
            "gold-pair",
            [("gold", ether(50_000)), ("weth", ether(1_000))],
        )?;
        Ok(())
    }

    /// Pays a token that keeps one part in a hundred for its collector.
    pub(super) fn send_taxed(
        &mut self,
        who: &str,
        to: &str,
        amount: U256,
    ) -> Result<B256, EvmStoryError> {
        let (token, from, to) = (self.at("taxed"), self.at(who), self.at(to));
        let fee = amount / U256::from(100);
        let effects = [
            Effect::token(token, from, to, amount - fee),
            Effect::token(token, from, self.at("collector"), fee),
        ];
        let data = evm_call("transfer(address,uint256)", (to, amount));
        self.alone(who, Act::call(token, data).moving(effects))
    }

    /// Wraps ether.
    pub(super) fn wrap(&mut self, who: &str, amount: U256) -> Result<B256, EvmStoryError> {
        let (to, token) = (self.at(who), self.at("weth"));
        let act = Act::call(token, evm_call("deposit()", ())).with_value(amount);
        self.alone(who, act.moving([Effect::Make { to, token, amount }]))
    }

    /// Unwraps ether.
    pub(super) fn unwrap(&mut self, who: &str, amount: U256) -> Result<B256, EvmStoryError> {
        let (from, token) = (self.at(who), self.at("weth"));
        let act = Act::call(token, evm_call("withdraw(uint256)", (amount,)));
        let effects = [
            Effect::native(token, from, amount),
            Effect::Destroy {
                from,
                token,
                amount,
            },
        ];
        self.alone(who, act.moving(effects))
    }

    /// Swaps tokens for tokens that go to `to`.
    pub(super) fn swap(
        &mut self,
        who: &str,
        route: Route,
        amount: U256,
        to: &str,
    ) -> Result<B256, EvmStoryError> {
        let (coins, pools) = self.stations(route);
        let paid = Effect::token(coins[0], self.at(who), pools[0], amount);
        let mut effects = vec![paid];
        self.pass(route, amount, self.at(to), &mut effects);
        let parameters = (amount, coins, pools, self.at(to));
        let data = evm_call(
            "swapTokens(uint256,address[],address[],address)",
            parameters,
        );
        self.alone(who, Act::call(self.at("router"), data).moving(effects))
    }

    /// Swaps ether for tokens that go to `to`.
    pub(super) fn swap_ether(
        &mut self,
        who: &str,
        route: Route,
        amount: U256,
        to: &str,
    ) -> Result<B256, EvmStoryError> {
        let (coins, pools) = self.stations(route);
        let (router, weth) = (self.at("router"), self.at("weth"));
        let mut effects = vec![
            Effect::native(router, weth, amount),
            Effect::Make {
                to: router,
                token: weth,
                amount,
            },
            Effect::token(weth, router, pools[0], amount),
        ];
        self.pass(route, amount, self.at(to), &mut effects);
        let parameters = (coins, pools, self.at(to));
        let data = evm_call("swapFromNative(address[],address[],address)", parameters);
        let act = Act::call(router, data).with_value(amount);
        self.alone(who, act.moving(effects))
    }

    /// Swaps tokens for ether that goes to `to`.
    pub(super) fn swap_to_ether(
        &mut self,
        who: &str,
        route: Route,
        amount: U256,
        to: &str,
    ) -> Result<B256, EvmStoryError> {
        let (coins, pools) = self.stations(route);
        let (router, token) = (self.at("router"), self.at("weth"));
        let mut moved = vec![Effect::token(coins[0], self.at(who), pools[0], amount)];
        let out = self.pass(route, amount, router, &mut moved);
        let mut effects = vec![
            Effect::native(token, router, out),
            Effect::native(router, self.at(to), out),
        ];
        effects.append(&mut moved);
        effects.push(Effect::Destroy {
            from: router,
            token,
            amount: out,
        });
        let parameters = (amount, coins, pools, self.at(to));
        let data = evm_call(
            "swapToNative(uint256,address[],address[],address)",
            parameters,
        );
        self.alone(who, Act::call(router, data).moving(effects))
    }

    /// Gives two coins to a pool for shares in it.
    pub(super) fn add_liquidity(
        &mut self,
        who: &str,
        pool: &str,
        sides: [(&str, U256); 2],
    ) -> Result<B256, EvmStoryError> {
        let (from, pair, router) = (self.at(who), self.at(pool), self.at("router"));
        let mut sides = sides.map(|(name, amount)| (self.at(name), amount));
        sides.sort();
        let shares = self.shares(pair, sides);
        let mut effects =
            Vec::from(sides.map(|(coin, amount)| Effect::token(coin, from, pair, amount)));
        effects.push(Effect::Make {
            to: from,
            token: pair,
            amount: shares,
        });
        let parameters = (pair, sides[0].1, sides[1].1);
        let data = evm_call("addLiquidity(address,uint256,uint256)", parameters);
        self.alone(who, Act::call(router, data).moving(effects))
    }

    /// Gives shares back for what they are worth.
    pub(super) fn remove_liquidity(
        &mut self,
        who: &str,
        pool: &str,
        coins: [&str; 2],
        shares: U256,
    ) -> Result<B256, EvmStoryError> {
        let (to, pair, router) = (self.at(who), self.at(pool), self.at("router"));
        let mut coins = coins.map(|name| self.at(name));
        coins.sort();
        let supply = self.teller.book.supply(pair);
        let out = |coin| self.reserve(pair, coin) * shares / supply;
        let effects = [
            Effect::token(pair, to, pair, shares),
            Effect::Destroy {
                from: pair,
                token: pair,
                amount: shares,
            },
            Effect::token(coins[0], pair, to, out(coins[0])),
            Effect::token(coins[1], pair, to, out(coins[1])),
        ];
        let data = evm_call("removeLiquidity(address,uint256)", (pair, shares));
        self.alone(who, Act::call(router, data).moving(effects))
    }

    fn shares(&self, pair: Address, sides: [(Address, U256); 2]) -> U256 {
        let supply = self.teller.book.supply(pair);
        let share = |(coin, amount)| {
            if supply.is_zero() {
                amount
            } else {
                amount * supply / self.reserve(pair, coin)
            }
        };
        share(sides[0]).min(share(sides[1]))
    }

    fn reserve(&self, pair: Address, coin: Address) -> U256 {
        self.teller.book.holds(pair, Coin::Token(coin))
    }

    fn stations(&self, route: Route) -> (Vec<Address>, Vec<Address>) {
        let addresses = |names: &[&str]| names.iter().map(|name| self.at(name)).collect();
        (addresses(route.coins), addresses(route.pools))
    }

    /// Notes what each pool pays on, and returns what the last one pays to `to`.
    fn pass(&self, route: Route, amount: U256, to: Address, effects: &mut Vec<Effect>) -> U256 {
        let (coins, pools) = self.stations(route);
        let mut amount = amount;
        for (place, pool) in pools.iter().enumerate() {
            let (sold, bought) = (coins[place], coins[place + 1]);
            let paid = amount * U256::from(997);
            let [reserve_in, reserve_out] = [sold, bought].map(|coin| self.reserve(*pool, coin));
            amount = paid * reserve_out / (reserve_in * U256::from(1000) + paid);
            let next = pools.get(place + 1).copied().unwrap_or(to);
            effects.push(Effect::token(bought, *pool, next, amount));
        }
        amount
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import "./Tokens.sol";

// Where coins become other coins: a pair and a router like Uniswap V2's, and a batch auction like CoW Protocol's.

interface Coin {
    function balanceOf(address) external view returns (uint256);
    function transfer(address, uint256) external returns (bool);
    function transferFrom(address, address, uint256) external returns (bool);
}

/// A pool of two tokens; shares in it are a token of its own.
contract Pair is Token(0) {
    address public immutable token0;
    address public immutable token1;
    uint256 public reserve0;
    uint256 public reserve1;

    event Swap(address indexed sender, uint256 in0, uint256 in1, uint256 out0, uint256 out1, address indexed to);

    constructor(address a, address b) {
        (token0, token1) = a < b ? (a, b) : (b, a);
    }

    /// Shares for what the pool holds above its reserves.
    function mintShares(address to) external returns (uint256 shares) {
        (uint256 in0, uint256 in1) = arrived();
        if (totalSupply == 0) {
            shares = in0 < in1 ? in0 : in1;
        } else {
            uint256 by0 = in0 * totalSupply / reserve0;
            uint256 by1 = in1 * totalSupply / reserve1;
            shares = by0 < by1 ? by0 : by1;
        }
        mint(to, shares);
        sync();
    }

    /// Pays out the shares that the pool itself holds.
    function burnShares(address to) external {
        uint256 shares = balanceOf[address(this)];
        uint256 out0 = shares * reserve0 / totalSupply;
        uint256 out1 = shares * reserve1 / totalSupply;
        burn(address(this), shares);
        Coin(token0).transfer(to, out0);
        Coin(token1).transfer(to, out1);
        sync();
    }

    /// Pays first and then checks the product of the reserves, less three parts in a thousand.
    function swap(uint256 out0, uint256 out1, address to) external {
        if (out0 > 0) Coin(token0).transfer(to, out0);
        if (out1 > 0) Coin(token1).transfer(to, out1);
        uint256 now0 = Coin(token0).balanceOf(address(this));
        uint256 now1 = Coin(token1).balanceOf(address(this));
        uint256 in0 = now0 > reserve0 - out0 ? now0 - (reserve0 - out0) : 0;
        uint256 in1 = now1 > reserve1 - out1 ? now1 - (reserve1 - out1) : 0;
        require((now0 * 1000 - in0 * 3) * (now1 * 1000 - in1 * 3) >= reserve0 * reserve1 * 1000 ** 2, "K");
        sync();
        emit Swap(msg.sender, in0, in1, out0, out1, to);
    }

    function arrived() private view returns (uint256, uint256) {
        return (Coin(token0).balanceOf(address(this)) - reserve0, Coin(token1).balanceOf(address(this)) - reserve1);
    }

    function sync() private {
        reserve0 = Coin(token0).balanceOf(address(this));
        reserve1 = Coin(token1).balanceOf(address(this));
    }
}

/// Swaps along a path of pairs. The first and the last coin may be the native one, wrapped on the way.
contract Router {
    Weth public immutable weth;

    constructor(Weth wrapped) {
        weth = wrapped;
    }

    /// Only the wrapped coin's contract pays here, when it unwraps.
    receive() external payable {
        require(msg.sender == address(weth));
    }

    function swapTokens(uint256 amount, address[] calldata coins, Pair[] calldata pairs, address to) external {
        Coin(coins[0]).transferFrom(msg.sender, address(pairs[0]), amount);
        run(amount, coins, pairs, to);
    }

    function swapFromNative(address[] calldata coins, Pair[] calldata pairs, address to) external payable {
        weth.deposit{value: msg.value}();
        weth.transfer(address(pairs[0]), msg.value);
        run(msg.value, coins, pairs, to);
    }

    function swapToNative(uint256 amount, address[] calldata coins, Pair[] calldata pairs, address to) external {
        Coin(coins[0]).transferFrom(msg.sender, address(pairs[0]), amount);
        uint256 out = run(amount, coins, pairs, address(this));
        weth.withdraw(out);
        (bool done,) = to.call{value: out}("");
        require(done);
    }

    function addLiquidity(Pair pair, uint256 in0, uint256 in1) external {
        Coin(pair.token0()).transferFrom(msg.sender, address(pair), in0);
        Coin(pair.token1()).transferFrom(msg.sender, address(pair), in1);
        pair.mintShares(msg.sender);
    }

    function removeLiquidity(Pair pair, uint256 shares) external {
        pair.transferFrom(msg.sender, address(pair), shares);
        pair.burnShares(msg.sender);
    }

    function run(uint256 amount, address[] calldata coins, Pair[] calldata pairs, address to)
        private
        returns (uint256)
    {
        for (uint256 i = 0; i < pairs.length; i++) {
            address next = i + 1 < pairs.length ? address(pairs[i + 1]) : to;
            bool forward = coins[i] == pairs[i].token0();
            amount = quote(amount, pairs[i], forward);
            pairs[i].swap(forward ? 0 : amount, forward ? amount : 0, next);
        }
        return amount;
    }

    function quote(uint256 amount, Pair pair, bool forward) private view returns (uint256) {
        (uint256 a, uint256 b) = (pair.reserve0(), pair.reserve1());
        (uint256 reserveIn, uint256 reserveOut) = forward ? (a, b) : (b, a);
        return amount * 997 * reserveOut / (reserveIn * 1000 + amount * 997);
    }
}

/// Settles orders of several owners at once and says so, as GPv2Settlement does.
contract Settlement {
    struct Order {
        address owner;
        address sellToken;
        address buyToken;
        uint256 sellAmount;
        uint256 buyAmount;
    }

    event Trade(
        address indexed owner,
        address sellToken,
        address buyToken,
        uint256 sellAmount,
        uint256 buyAmount,
        uint256 feeAmount,
        bytes orderUid
    );

    /// Takes in everything that is sold, then pays out everything that is bought.
    function settle(Order[] calldata orders) external {
        for (uint256 i = 0; i < orders.length; i++) {
            Coin(orders[i].sellToken).transferFrom(orders[i].owner, address(this), orders[i].sellAmount);
        }
        for (uint256 i = 0; i < orders.length; i++) {
            Order calldata order = orders[i];
            Coin(order.buyToken).transfer(order.owner, order.buyAmount);
            emit Trade(
                order.owner, order.sellToken, order.buyToken, order.sellAmount, order.buyAmount, 0, abi.encode(i)
            );
        }
    }
}

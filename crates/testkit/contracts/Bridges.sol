// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.0;

import "./Tokens.sol";

interface Coins {
    function transfer(address, uint256) external returns (bool);
    function transferFrom(address, address, uint256) external returns (bool);
}

/// The router of THORChain as its events tell of it: native value goes to the vault, tokens stay here for it.
contract VaultRouter {
    event Deposit(address indexed to, address indexed asset, uint256 amount, string memo);
    event TransferOut(address indexed vault, address indexed to, address asset, uint256 amount, string memo);

    function depositWithExpiry(address payable vault, address asset, uint256 amount, string calldata memo, uint256)
        external
        payable
    {
        if (asset == address(0)) {
            amount = msg.value;
            (bool paid,) = vault.call{value: amount}("");
            require(paid);
        } else {
            require(Coins(asset).transferFrom(msg.sender, address(this), amount));
        }
        emit Deposit(vault, asset, amount, memo);
    }

    function transferOut(address payable to, address asset, uint256 amount, string calldata memo) external payable {
        if (asset == address(0)) {
            amount = msg.value;
            (bool paid,) = to.call{value: amount}("");
            require(paid);
        } else {
            require(Coins(asset).transfer(to, amount));
        }
        emit TransferOut(msg.sender, to, asset, amount, memo);
    }
}

/// Logs whatever it is told to.
contract Teller {
    function say(bytes32[4] calldata topics, uint256 count, bytes memory data) internal {
        bytes32[4] memory words = topics;
        assembly {
            let start := add(data, 32)
            let length := mload(data)
            switch count
            case 1 { log1(start, length, mload(words)) }
            case 2 { log2(start, length, mload(words), mload(add(words, 32))) }
            case 3 { log3(start, length, mload(words), mload(add(words, 32)), mload(add(words, 64))) }
            default {
                log4(start, length, mload(words), mload(add(words, 32)), mload(add(words, 64)), mload(add(words, 96)))
            }
        }
    }
}

/// Moves value and logs, as the contracts of any bridge do.
contract Herald is Teller {
    function tell(address coin, address to, uint256 amount, bytes32[4] calldata topics, uint256 count, bytes memory data)
        external
        payable
    {
        if (coin == address(0)) {
            (bool paid,) = to.call{value: msg.value}("");
            require(paid);
        } else {
            require(Coins(coin).transferFrom(msg.sender, to, amount));
        }
        say(topics, count, data);
    }
}

/// Makes its token and logs, as a bridge does that makes value against payments elsewhere.
contract Mint is Token(0), Teller {
    function make(address to, uint256 value, bytes32[4] calldata topics, uint256 count, bytes memory data) external {
        mint(to, value);
        say(topics, count, data);
    }
}

/// The token of WBTC: whoever holds it may destroy it.
contract WrappedCoin is Token(0) {
    constructor(address to, uint256 value) {
        mint(to, value);
    }

    function burn(uint256 value) external {
        burn(msg.sender, value);
    }
}

/// The factory of WBTC as its events tell of it. Anybody is a merchant here, and anybody the custodian.
contract CoinFactory {
    struct Request {
        address requester;
        uint256 amount;
        string paidTo;
        uint256 timestamp;
    }

    WrappedCoin immutable token;
    Request[] requests;

    event Burned(
        uint256 indexed nonce,
        address indexed requester,
        uint256 amount,
        string btcDepositAddress,
        uint256 timestamp,
        bytes32 requestHash
    );
    event BurnConfirmed(
        uint256 indexed nonce,
        address indexed requester,
        uint256 amount,
        string btcDepositAddress,
        string btcTxid,
        uint256 timestamp,
        bytes32 requestHash
    );

    constructor(WrappedCoin wrapped) {
        token = wrapped;
    }

    function burn(uint256 amount, string calldata paidTo) external {
        uint256 nonce = requests.length;
        requests.push(Request(msg.sender, amount, paidTo, block.timestamp));
        require(token.transferFrom(msg.sender, address(this), amount));
        token.burn(amount);
        emit Burned(nonce, msg.sender, amount, paidTo, block.timestamp, hash(nonce));
    }

    function confirm(uint256 nonce, string calldata txid) external {
        Request storage one = requests[nonce];
        emit BurnConfirmed(nonce, one.requester, one.amount, one.paidTo, txid, one.timestamp, hash(nonce));
    }

    function hash(uint256 nonce) internal view returns (bytes32) {
        Request storage one = requests[nonce];
        return keccak256(abi.encode(one.requester, one.amount, one.paidTo, "", nonce, one.timestamp));
    }
}

/// The bridge and the vault of tBTC in one, as their events tell of a proven sweep.
contract Sweeper is Mint {
    event DepositsSwept(bytes20 walletPubKeyHash, bytes32 sweepTxHash);
    event OptimisticMintingDebtRepaid(address indexed depositor, uint256 optimisticMintingDebt);
    event Minted(address indexed to, uint256 amount);

    function prove(bytes20 wallet, bytes32 sweep, address[] calldata to, uint256[] calldata values, bool[] calldata repay)
        external
    {
        emit DepositsSwept(wallet, sweep);
        for (uint256 i = 0; i < to.length; i++) {
            if (repay[i]) emit OptimisticMintingDebtRepaid(to[i], 0);
            emit Minted(to[i], values[i]);
            mint(to[i], values[i]);
        }
    }
}

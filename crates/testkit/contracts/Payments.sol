// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

// Ways in which contracts pay.

function pay(address to, uint256 amount) {
    (bool done,) = to.call{value: amount}("");
    require(done);
}

interface Erc20 {
    function transfer(address, uint256) external returns (bool);
    function transferFrom(address, address, uint256) external returns (bool);
}

/// Divides what it receives among payees; the last one gets what the division leaves.
contract Splitter {
    address payable[] public payees;

    constructor(address payable[] memory list) {
        payees = list;
    }

    receive() external payable {
        uint256 share = msg.value / payees.length;
        for (uint256 i = 1; i < payees.length; i++) pay(payees[i - 1], share);
        pay(payees[payees.length - 1], msg.value - share * (payees.length - 1));
    }
}

/// Pays many at once, in the native coin or a token.
contract BatchPayer {
    function payNative(address[] calldata to, uint256[] calldata amounts) external payable {
        for (uint256 i = 0; i < to.length; i++) pay(to[i], amounts[i]);
    }

    function payToken(Erc20 token, address[] calldata to, uint256[] calldata amounts) external {
        for (uint256 i = 0; i < to.length; i++) token.transferFrom(msg.sender, to[i], amounts[i]);
    }
}

/// Takes deposits of one size and pays them out to others; who may withdraw is proven elsewhere, here not at all.
contract Mixer {
    uint256 public immutable denomination;

    event Deposit(bytes32 indexed commitment, uint32 leafIndex, uint256 timestamp);
    event Withdrawal(address to, bytes32 nullifierHash, address indexed relayer, uint256 fee);

    uint32 private leaves;

    constructor(uint256 size) {
        denomination = size;
    }

    function deposit(bytes32 commitment) external payable {
        require(msg.value == denomination);
        emit Deposit(commitment, leaves++, block.timestamp);
    }

    function withdraw(address to, bytes32 nullifierHash, address relayer, uint256 fee) external {
        pay(to, denomination - fee);
        if (fee > 0) pay(relayer, fee);
        emit Withdrawal(to, nullifierHash, relayer, fee);
    }
}

/// Runs the code of another contract as its own (DELEGATECALL): the value stays here until that code pays.
contract Proxy {
    address private immutable implementation;

    constructor(address code) {
        implementation = code;
    }

    fallback() external payable {
        address code = implementation;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}

/// What the proxy runs: passes on everything it was called with.
contract Forwarder {
    function forward(address to) external payable {
        pay(to, msg.value);
    }
}

/// Tries to pay one who refuses, after that one has paid others, and then pays another.
contract Stubborn {
    function attempt(Refuser refuser, address payable elsewhere) external payable {
        try refuser.take{value: msg.value}(elsewhere) {} catch {
            pay(elsewhere, msg.value);
        }
    }
}

/// Pays on what it is given and then fails, so that nothing of it happened.
contract Refuser {
    function take(address to) external payable {
        pay(to, msg.value / 2);
        revert("no");
    }
}

/// Has transfers of nothing logged in anybody's name.
contract Spammer {
    function spam(Erc20 token, address[] calldata from, address[] calldata to) external {
        for (uint256 i = 0; i < from.length; i++) token.transferFrom(from[i], to[i], 0);
    }
}

/// Leaves everything it holds to an heir, who is not called.
contract Mortal {
    constructor() payable {}

    function die(address payable heir) external {
        selfdestruct(heir);
    }
}

/// Creates contracts and endows them.
contract Factory {
    event Made(address made);

    function make() external payable {
        emit Made(address(new Mortal{value: msg.value}()));
    }
}

/// The code of an account with a key (EIP-7702): anybody may have it pay, so that its owner need not.
contract Delegate {
    receive() external payable {}

    function execute(address to, uint256 amount) external payable {
        pay(to, amount);
    }

    function executeToken(Erc20 token, address to, uint256 amount) external {
        token.transfer(to, amount);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {pay} from "./Payments.sol";

// Accounts that are contracts (ERC-4337), as far as value moves: their owners sign operations, a bundler submits them
// in a transaction of its own and is paid back for the gas. Signatures are checked elsewhere, here not at all.

contract SmartAccount {
    address private immutable entryPoint;

    constructor(address entry) {
        entryPoint = entry;
    }

    receive() external payable {}

    /// Pays in advance for an operation's gas.
    function validate(uint256 missing) external {
        require(msg.sender == entryPoint);
        pay(entryPoint, missing);
    }

    function execute(address to, uint256 value, bytes calldata data) external {
        require(msg.sender == entryPoint);
        (bool done,) = to.call{value: value}(data);
        require(done);
    }
}

/// Validates all operations, then carries out each, then pays the bundler what the accounts paid.
contract EntryPoint {
    struct Operation {
        address payable sender;
        address to;
        uint256 value;
        bytes data;
        uint256 cost;
    }

    event UserOperationEvent(
        bytes32 indexed userOpHash,
        address indexed sender,
        address indexed paymaster,
        uint256 nonce,
        bool success,
        uint256 actualGasCost,
        uint256 actualGasUsed
    );

    receive() external payable {}

    function handleOps(Operation[] calldata operations, address beneficiary) external {
        uint256 collected = 0;
        for (uint256 i = 0; i < operations.length; i++) {
            SmartAccount(operations[i].sender).validate(operations[i].cost);
            collected += operations[i].cost;
        }
        for (uint256 i = 0; i < operations.length; i++) run(operations[i]);
        pay(beneficiary, collected);
    }

    function run(Operation calldata operation) private {
        bool success = true;
        try SmartAccount(operation.sender).execute(operation.to, operation.value, operation.data) {} catch {
            success = false;
        }
        bytes32 hash = keccak256(abi.encode(operation));
        emit UserOperationEvent(hash, operation.sender, address(0), 0, success, operation.cost, operation.cost);
    }
}

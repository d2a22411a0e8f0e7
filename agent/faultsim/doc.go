// Package faultsim is a street of shops, a bad line, a bad disk and a bank with books, all of it
// under one seed: no goroutines, no clock but its own, and the same run again from the same number.
//
// Think of a stage manager with a list of mishaps and a bookkeeper in the stalls. The manager cuts
// the cable, pulls the plug, garbles a line; the bookkeeper never listens to the terminal, only
// writes down who got a receipt and whose money moved, and says "fault" when the two differ.
//
// What stands on the stage differs by [Depth]:
//
//   - [Core]: payment.Decide, payment.Apply, payment.Invariant and reversal.Queue of the product,
//     with a driver of its own that copies the agent's round (decide all, write once, then do) and
//     a journal that is a list of synced and unsynced records. Fast. What the driver does is NOT
//     the product's: matching by key, the waiting room and the power-up are written here again.
//   - [Real]: the agent of package agent as it is, stepped a round at a time, with its profiles,
//     MACs and sign-on, and the real store on real files, between which and the disk a [medium]
//     loses, tears and fails writes. A quarter of the sales are confirmed by their app, as through
//     the API door. Not in it: the goroutines of agent/link and of the doors, the sockets, and what
//     a file system does below a file.
//   - [Plain] and [NextSale]: what others do, for comparison. See their types.
//
// The [auditor] knows of the terminal only what a bystander sees: what was sent and told, and the
// list of what is open that any person can ask for.
package faultsim

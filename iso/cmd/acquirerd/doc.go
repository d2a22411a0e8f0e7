// Command acquirerd is a bank for rehearsals: it keeps books, and misbehaves when told to.
//
// Think of a driving simulator. A terminal, or the daemon in front of it, is pointed at acquirerd
// instead of its host; acquirerd then does everything that can go wrong on the road (an answer that
// is lost, late, double, of another payment; a line that drops in the middle of a frame) and its
// books say afterwards whether the terminal drove well: no debit without a receipt, no receipt
// without a debit.
//
//	acquirerd serve                      listens on 127.0.0.1:8583, iso87-ascii
//	acquirerd sell --amount 12.34        a till: one sale, one line
//	acquirerd tills --count 4            a shop that sells without end
//	acquirerd behave '0200:silent x1'    the next sale is debited and never answered
//	acquirerd books                      every debit, and whether it was taken back
//	acquirerd stats | away | back
//
// Without options serve keeps its books in acquirer-books.jsonl (with acquirer-books.jsonl.key, the
// key of its account names) and its control socket, acquirer.sock, in the current directory. The
// books survive a restart; start anew by removing both files.
//
// Exit codes: 0 done (sell: approved), 1 failed (sell: declined), 2 sell: unknown or no answer, 64
// wrong usage.
package main

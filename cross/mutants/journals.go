package main

// Files that several mutants are in.
const (
	bolt    = "store/bolt.go"
	journal = "store/journal.go"
	ring    = "store/ring.go"
	entry   = "store/entry.go"
)

// journals are defects in the store: what it says is on the medium must be there, twice, and what
// is not what was written must not be believed.
var journals = []mutant{
	{
		name: "bbolt-without-sync",
		rule: "NoSync never",
		file: bolt,
		old:  "\t\tTimeout:         timeout,\n",
		new:  "\t\tTimeout:         timeout,\n\t\tNoSync:          true,\n",
		test: "TestACommitIsThreeSyncs",
	},
	{
		name: "ring-without-sync",
		rule: "both copies are on the medium when it is said so",
		file: ring,
		old:  "\tif err := r.file.Sync(); err != nil {\n",
		new:  "\tif err := error(nil); err != nil {\n",
		test: "TestACommitIsThreeSyncs",
	},
	{
		name: "ring-not-written",
		rule: "damage of bbolt alone loses nothing",
		file: ring,
		old:  "\t\tif _, err := r.file.WriteAt(w.block, w.offset); err != nil {\n",
		new:  "\t\tif _, err := r.file.WriteAt(nil, w.offset); err != nil {\n",
		test: "TestTheRingGivesBackWhatBboltForgot",
	},
	{
		name: "ring-forgets-what-is-open",
		rule: "the ring holds every open payment, however old",
		file: ring,
		old:  "\t\t\tr.backlog = append(r.backlog, carried{seq: e.Seq, key: e.Key, raw: raw})\n",
		new:  "\t\t\t_ = raw\n",
		test: "TestAnOldOpenKeySurvivesInTheRingWhenBboltIsDestroyed",
	},
	{
		name: "journal-with-holes",
		rule: "room that is kept for open payments is there when the disk is full",
		file: "store/create.go",
		old:  "\tif err = furnish(f, sizeMax); err == nil {\n",
		new:  "\tif _, err = extend(f, reserveBytes+growBytes); err == nil {\n",
		test: "TestAJournalHasNoHoles",
	},
	{
		name: "commit-error-ignored",
		rule: "a commit error means unknown: nothing works any more",
		file: journal,
		old:  "\t\terr = fmt.Errorf(\"commit: %w\", err)\n",
		new:  "\t\terr = nil\n",
		test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
	},
	{
		name: "ring-error-ignored",
		rule: "any single failed write is noticed",
		file: journal,
		old:  "\t\terr = errors.Join(err, <-ringDone)\n",
		new:  "\t\t<-ringDone\n",
		test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
	},
	{
		name: "journal-goes-on-after-failure",
		rule: "a failed write or sync ends the process",
		file: journal,
		old:  "\t\tj.dead = fmt.Errorf(\"%w: %w\", ErrUnknown, err)\n",
		new:  "\t\treturn fmt.Errorf(\"%w: %w\", ErrUnknown, err)\n",
		test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
	},
	{
		name: "suspicion-not-left",
		rule: "after a failed write the next start makes new files",
		file: journal,
		old:  "\t\tleaveSuspicion(j.opt.Path, err)\n",
		new:  "",
		test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
	},
	{
		name: "readers-see-too-early",
		rule: "nothing is shown before both files have it",
		file: "store/read.go",
		old:  "\t\t\tif seq > last {\n",
		new:  "\t\t\tif seq > last+1 {\n",
		test: "TestReadersSeeNothingBeforeBothFilesHaveIt",
	},
	{
		name: "note-only-in-memory",
		rule: "what is noted survives KILL",
		file: journal,
		old:  "\tj.ring.queue()\n\tif err := j.ring.write(); err != nil {\n",
		new:  "\tif err := error(nil); err != nil {\n",
		test: "TestANoteSurvivesAKillAndIsCommittedByTheNextAppend",
	},
	{
		name: "chain-not-checked",
		rule: "an entry that does not follow the chain is not taken",
		file: "store/ringread.go",
		old:  "\t\tif c.next(prev, chainedBytes(rc.raw)) == rc.entry.Chain {\n",
		new:  "\t\tif c.next(prev, chainedBytes(rc.raw)) != [16]byte{} {\n",
		test: "TestAnEntryThatDoesNotFollowTheChainIsNotTaken",
	},
	{
		name: "checksum-not-checked",
		rule: "every entry has a checksum, and it is looked at",
		file: entry,
		old:  "!= binary.BigEndian.Uint32(raw[len(body):]) {\n",
		new:  "!= binary.BigEndian.Uint32(raw[len(body):]) && len(raw) == 0 {\n",
		test: "TestAFlippedBitIsFoundAndMendedFromTheRing",
	},
	{
		name: "card-number-unsealed",
		rule: "card numbers are sealed",
		file: "store/seal.go",
		old:  "\treturn k.aead.Seal(dst, nonce[:], secret, sealContext(seq, key, kind)), nil\n",
		new: "\tsealed := k.aead.Seal(dst, nonce[:], secret, sealContext(seq, key, kind))\n" +
			"\tcopy(sealed[sealNonceBytes:], secret)\n\treturn sealed, nil\n",
		test: "TestNoFileHoldsACardNumber",
	},
	{
		name: "seal-good-anywhere",
		rule: "a sealed number is good for its entry only",
		file: "store/seal.go",
		old:  "\tb = binary.BigEndian.AppendUint64(b, seq)\n",
		new:  "\tb = binary.BigEndian.AppendUint64(b, seq-seq)\n",
		test: "TestASealedSecretOpensOnlyWhereItWasSealed",
	},
	{
		name: "no-room-in-reserve",
		rule: "room is kept so that open payments can be finished",
		file: "store/room.go",
		old:  "\t\tneed += reserveBytes\n",
		new:  "\t\tneed += 0\n",
		test: "TestAFullJournalKeepsRoomForOpenKeys",
	},
	{
		name: "lost-journal-not-noticed",
		rule: "an older journal put back is refused",
		file: "store/recover.go",
		old:  "\tif p.image.acked > p.last {\n",
		new:  "\tif p.image.acked > p.last+p.image.acked {\n",
		test: "TestAJournalOlderThanItsRingIsRefused",
	},
	{
		name: "lost-files-not-noticed",
		rule: "older copies of both put back are refused",
		file: "store/recover.go",
		old:  "sure && last > p.last {\n",
		new:  "sure && last > p.last+last {\n",
		test: "TestAVanishedJournalWithAnOldRingIsNoticed",
	},
	{
		name: "open-payment-forgotten",
		rule: "retention never takes what is open",
		file: "store/forget.go",
		old:  "\tif inStory && e.Mark != MarkClose {\n",
		new:  "\tif inStory && e.Mark == MarkKeep {\n",
		test: "TestForgettingSparesWhatIsOpen",
	},
}

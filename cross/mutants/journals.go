package main

// journals are defects in the store: what it says is on the medium must be there, twice, and what
// is not what was written must not be believed.
func journals() []mutant {
	const (
		bolt    = "store/bolt.go"
		journal = "store/journal.go"
		ring    = "store/ring.go"
		entry   = "store/entry.go"
	)
	return []mutant{
		{
			name: "bbolt-without-sync",
			rule: "NoSync never",
			file: bolt,
			old:  "		Timeout:         timeout,\n",
			new:  "		Timeout:         timeout,\n		NoSync:          true,\n",
			test: "TestACommitIsThreeSyncs",
		},
		{
			name: "ring-without-sync",
			rule: "both copies are on the medium when it is said so",
			file: ring,
			old:  "	if err := r.file.Sync(); err != nil {\n",
			new:  "	if err := error(nil); err != nil {\n",
			test: "TestACommitIsThreeSyncs",
		},
		{
			name: "ring-not-written",
			rule: "damage of bbolt alone loses nothing",
			file: ring,
			old:  "		if _, err := r.file.WriteAt(w.block, w.offset); err != nil {\n",
			new:  "		if _, err := r.file.WriteAt(nil, w.offset); err != nil {\n",
			test: "TestTheRingGivesBackWhatBboltForgot",
		},
		{
			name: "ring-forgets-what-is-open",
			rule: "the ring holds every open payment, however old",
			file: ring,
			old:  "			r.backlog = append(r.backlog, carried{seq: e.Seq, key: e.Key, raw: raw})\n",
			new:  "			_ = raw\n",
			test: "TestAnOldOpenKeySurvivesInTheRingWhenBboltIsDestroyed",
		},
		{
			name: "commit-error-ignored",
			rule: "a commit error means unknown: nothing works any more",
			file: journal,
			old:  "		err = fmt.Errorf(\"commit: %w\", err)\n",
			new:  "		err = nil\n",
			test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
		},
		{
			name: "ring-error-ignored",
			rule: "any single failed write is noticed",
			file: journal,
			old:  "		err = errors.Join(err, <-ringDone)\n",
			new:  "		<-ringDone\n",
			test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
		},
		{
			name: "journal-goes-on-after-failure",
			rule: "a failed write or sync ends the process",
			file: journal,
			old:  "		j.dead = fmt.Errorf(\"%w: %w\", ErrUnknown, err)\n",
			new:  "		return fmt.Errorf(\"%w: %w\", ErrUnknown, err)\n",
			test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
		},
		{
			name: "suspicion-not-left",
			rule: "after a failed write the next start makes new files",
			file: journal,
			old:  "		leaveSuspicion(j.opt.Path, err)\n",
			new:  "",
			test: "TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut",
		},
		{
			name: "readers-see-too-early",
			rule: "nothing is shown before both files have it",
			file: "store/read.go",
			old:  "			if seq > last {\n",
			new:  "			if seq > last+1 {\n",
			test: "TestReadersSeeNothingBeforeBothFilesHaveIt",
		},
		{
			name: "note-only-in-memory",
			rule: "what is noted survives KILL",
			file: journal,
			old:  "	j.ring.queue()\n	if err := j.ring.write(); err != nil {\n",
			new:  "	if err := error(nil); err != nil {\n",
			test: "TestANoteSurvivesAKillAndIsCommittedByTheNextAppend",
		},
		{
			name: "chain-not-checked",
			rule: "an entry that does not follow the chain is not taken",
			file: "store/ringread.go",
			old:  "		if c.next(prev, chainedBytes(rc.raw)) == rc.entry.Chain {\n",
			new:  "		if c.next(prev, chainedBytes(rc.raw)) != [16]byte{} {\n",
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
			old:  "	return k.aead.Seal(dst, nonce[:], secret, sealContext(seq, key, kind)), nil\n",
			new: "	sealed := k.aead.Seal(dst, nonce[:], secret, sealContext(seq, key, kind))\n" +
				"	copy(sealed[sealNonceBytes:], secret)\n	return sealed, nil\n",
			test: "TestNoFileHoldsACardNumber",
		},
		{
			name: "seal-good-anywhere",
			rule: "a sealed number is good for its entry only",
			file: "store/seal.go",
			old:  "	b = binary.BigEndian.AppendUint64(b, seq)\n",
			new:  "	b = binary.BigEndian.AppendUint64(b, seq-seq)\n",
			test: "TestASealedSecretOpensOnlyWhereItWasSealed",
		},
		{
			name: "no-room-in-reserve",
			rule: "room is kept so that open payments can be finished",
			file: "store/room.go",
			old:  "		need += reserveBytes\n",
			new:  "		need += 0\n",
			test: "TestAFullJournalKeepsRoomForOpenKeys",
		},
		{
			name: "lost-journal-not-noticed",
			rule: "an older journal put back is refused",
			file: "store/recover.go",
			old:  "	if p.image.acked > p.last {\n",
			new:  "	if p.image.acked > p.last+p.image.acked {\n",
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
			old:  "	if inStory && e.Mark != MarkClose {\n",
			new:  "	if inStory && e.Mark == MarkKeep {\n",
			test: "TestForgettingSparesWhatIsOpen",
		},
	}
}

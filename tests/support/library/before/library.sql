PRAGMA journal_mode = wal;
PRAGMA application_id = 1230136182;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folders(id),
    name NOT NULL,
    size INTEGER NOT NULL,         -- of the version that was read
    modified INTEGER NOT NULL,     -- of the version that was read, in nanoseconds
    beside INTEGER NOT NULL,       -- what the texts beside it looked like when they were read
    asked TEXT NOT NULL,           -- where its prompt was looked for
    state INTEGER NOT NULL,        -- see State in files.py
    gone INTEGER NOT NULL DEFAULT 0,
    picture INTEGER REFERENCES pictures(id),
    problem TEXT NOT NULL DEFAULT '',           -- why it could not be decoded
    prompt INTEGER NOT NULL DEFAULT 0,          -- what scorers are shown: its own prompt, or the one given for all
    fixed INTEGER NOT NULL DEFAULT 0,           -- 1 where that is the one given for all
    own INTEGER NOT NULL DEFAULT 0,             -- its own prompt as scorers would be shown it
    written INTEGER NOT NULL DEFAULT 0,         -- from here on numbers of texts
    negative INTEGER NOT NULL DEFAULT 0,
    origin INTEGER NOT NULL DEFAULT 0,
    generator INTEGER NOT NULL DEFAULT 0,
    model INTEGER NOT NULL DEFAULT 0,
    loras INTEGER NOT NULL DEFAULT 0,           -- as JSON
    missing INTEGER NOT NULL DEFAULT 0,         -- why it has no prompt of its own
    seed TEXT NOT NULL DEFAULT '', notes INTEGER NOT NULL DEFAULT 0, picture_note INTEGER NOT NULL DEFAULT 0,
    UNIQUE (folder, name)
);
INSERT INTO "files" VALUES(1,4,'3 bild ü.png',211,1700000003000000000,0,'auto/3',1,1,1,'',1,0,1,1,0,2,3,0,0,0,'3',0,0);
INSERT INTO "files" VALUES(2,4,'4 bild ü.png',227,1700000004000000000,0,'auto/3',1,1,2,'',4,0,4,5,0,2,3,0,0,0,'4',0,0);
INSERT INTO "files" VALUES(3,5,'0 bild ü.png',210,1700000000000000000,0,'auto/3',1,1,3,'',6,0,6,6,0,2,3,0,0,0,'0',0,0);
INSERT INTO "files" VALUES(4,5,'1 bild ü.png',210,1700000001000000000,0,'auto/3',1,1,4,'',6,0,6,6,0,2,3,0,0,0,'1',0,0);
INSERT INTO "files" VALUES(5,5,'2 bild ü.png',213,1700000002000000000,0,'auto/3',1,1,5,'',1,0,1,1,0,2,3,0,0,0,'2',0,0);
INSERT INTO "files" VALUES(6,6,'3 bild ü.png',534,1700000003000000000,0,'auto/3',1,0,1,'',1,0,1,1,0,2,3,0,0,0,'3',0,0);
INSERT INTO "files" VALUES(7,6,'4 bild ü.png',558,1700000004000000000,0,'auto/3',1,0,2,'',4,0,4,5,0,2,3,0,0,0,'4',0,0);
INSERT INTO "files" VALUES(8,8,'0 bild ü.png',528,1700000000000000000,0,'auto/3',1,0,3,'',6,0,6,6,0,2,3,0,0,0,'0',0,0);
INSERT INTO "files" VALUES(9,8,'1 bild ü.png',530,1700000001000000000,0,'auto/3',1,0,4,'',6,0,6,6,0,2,3,0,0,0,'1',0,0);
INSERT INTO "files" VALUES(10,9,'2 bild ü.png',537,1700000002000000000,0,'auto/3',1,0,5,'',1,0,1,1,0,2,3,0,0,0,'2',0,0);
INSERT INTO "files" VALUES(11,12,'2 bild ü.png',537,1700000002000000000,0,'auto/3',1,0,5,'',1,0,1,1,0,2,3,0,0,0,'2',0,0);
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES folders(id),
    path NOT NULL UNIQUE
);
INSERT INTO "folders" VALUES(3,NULL,'@PLACE@');
INSERT INTO "folders" VALUES(4,3,'@PLACE@/out');
INSERT INTO "folders" VALUES(5,4,'@PLACE@/out/day 1');
INSERT INTO "folders" VALUES(6,4,'@PLACE@/out/great');
INSERT INTO "folders" VALUES(7,4,'@PLACE@/out/good');
INSERT INTO "folders" VALUES(8,7,'@PLACE@/out/good/day 1');
INSERT INTO "folders" VALUES(9,6,'@PLACE@/out/great/day 1');
INSERT INTO "folders" VALUES(10,3,'@PLACE@/album');
INSERT INTO "folders" VALUES(11,10,'@PLACE@/album/great');
INSERT INTO "folders" VALUES(12,11,'@PLACE@/album/great/day 1');
CREATE TABLE origin (id BLOB NOT NULL, place, device TEXT, inode TEXT, signature BLOB);
INSERT INTO "origin" VALUES(X'84C07F9E53949A43EA3EF1E9415A1C1D','@PLACE@/out/.imagereward','65024','2187487',X'64F39CC5833C498AAEF265ED3017BFA044FD69492FFE5EB4D2FC426E83F6B0C7');
CREATE TABLE pictures (            -- what files hold
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,     -- of the decoded pixels
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    fingerprint INTEGER,           -- perceptual hash, 64 bits as a signed number
    stars INTEGER                  -- by a person, 0 to 5; written by nothing else
, decision INTEGER);
INSERT INTO "pictures" VALUES(1,X'6AD8C61FF1BA44463A83394A5D653A63',48,40,-9223372036854775808,NULL,NULL);
INSERT INTO "pictures" VALUES(2,X'5EB80D69F5715F974014D007082844C4',48,40,-9223372036854775808,4,NULL);
INSERT INTO "pictures" VALUES(3,X'7C1D7F14C84E06FD1E1083824109DCA7',48,40,-9223372036854775808,NULL,NULL);
INSERT INTO "pictures" VALUES(4,X'8F07721B1085B2742874862B93D2F120',48,40,-9223372036854775808,NULL,NULL);
INSERT INTO "pictures" VALUES(5,X'99AAEFDB230F64C6FD0FF08A8935A451',48,40,-9223372036854775808,NULL,NULL);
CREATE TABLE ranking (
    scorer INTEGER NOT NULL,
    file INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    prompt INTEGER NOT NULL,       -- of the file, also for scorers that read none
    negated REAL,                  -- the score times -1, so that the best comes first; NULL for none
    cut INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (scorer, file)
) WITHOUT ROWID;
INSERT INTO "ranking" VALUES(1,6,6,1,1.31817935856156087659e+00,0,'');
INSERT INTO "ranking" VALUES(1,7,6,4,1.29940323553709036197e+00,0,'');
INSERT INTO "ranking" VALUES(1,8,8,6,2.12386961942373808653e+00,0,'');
INSERT INTO "ranking" VALUES(1,9,8,6,1.79367521041928212888e+00,0,'');
INSERT INTO "ranking" VALUES(1,10,9,1,8.37086740204467161241e-01,0,'');
INSERT INTO "ranking" VALUES(1,11,12,1,8.37086740204467161241e-01,0,'');
CREATE TABLE scorers (
    id INTEGER PRIMARY KEY,
    scorer TEXT NOT NULL,
    revision TEXT NOT NULL,
    preprocessing TEXT NOT NULL,
    reads_prompt INTEGER NOT NULL,
    UNIQUE (scorer, revision, preprocessing)
);
INSERT INTO "scorers" VALUES(1,'demo','2722731aacff','reference',1);
CREATE TABLE scores (
    picture INTEGER NOT NULL REFERENCES pictures(id),
    scorer INTEGER NOT NULL REFERENCES scorers(id),
    prompt INTEGER NOT NULL REFERENCES texts(id),   -- 0 for scorers that read none
    value REAL,
    cut INTEGER NOT NULL DEFAULT 0,                 -- text: the part of the prompt that did not fit
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (picture, scorer, prompt)
) WITHOUT ROWID;
INSERT INTO "scores" VALUES(1,1,1,-1.31817935856156087659e+00,0,'');
INSERT INTO "scores" VALUES(2,1,4,-1.29940323553709036197e+00,0,'');
INSERT INTO "scores" VALUES(3,1,6,-2.12386961942373808653e+00,0,'');
INSERT INTO "scores" VALUES(4,1,6,-1.79367521041928212888e+00,0,'');
INSERT INTO "scores" VALUES(5,1,1,-8.37086740204467161241e-01,0,'');
CREATE TABLE texts (               -- every text once; number 0 is the empty one
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO "texts" VALUES(0,0,'');
INSERT INTO "texts" VALUES(1,-4350596940221430446,'a green cross');
INSERT INTO "texts" VALUES(2,8709905634704084440,'metadata');
INSERT INTO "texts" VALUES(3,-3067646864343075595,'a1111');
INSERT INTO "texts" VALUES(4,-8262830177575222549,'a yellow ring, bright');
INSERT INTO "texts" VALUES(5,6930109413063639131,'a yellow ring, (bright:1.2)');
INSERT INTO "texts" VALUES(6,6300936371145047021,'a red star');
CREATE INDEX folders_by_parent ON folders(parent);
CREATE INDEX texts_by_hash ON texts(hash);
CREATE INDEX files_by_time ON files(modified, id) WHERE gone = 0;
CREATE INDEX files_by_folder_and_time ON files(folder, modified, id) WHERE gone = 0;
CREATE INDEX files_by_picture ON files(picture);
CREATE INDEX files_by_prompt ON files(prompt, name) WHERE gone = 0;
CREATE INDEX files_with_problem ON files(folder) WHERE gone = 0 AND problem <> '';
CREATE INDEX ranking_of_all ON ranking(scorer, negated, file);
CREATE INDEX ranking_by_folder ON ranking(scorer, folder, negated, file);
CREATE INDEX ranking_by_prompt ON ranking(scorer, prompt, negated, file);
COMMIT;

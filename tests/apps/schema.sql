-- What each of these applications writes: the tests compare it with what is stored.
CREATE TABLE album (request TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL);
CREATE TABLE photo (request TEXT NOT NULL, field TEXT NOT NULL, name TEXT, target TEXT NOT NULL, size INTEGER NOT NULL);
-- Forms that do not stand, and never will: what tells of them may still be on its way.
CREATE TABLE void (request TEXT PRIMARY KEY);

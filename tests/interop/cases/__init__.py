"""The cases of spec/vectors, by folder.  Everything here is TEST DATA."""

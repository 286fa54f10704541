/*
 * library.h - libmongoc and libbson made ready, once in a process.
 */
#ifndef MONGO_LIBRARY_H
#define MONGO_LIBRARY_H

/**
 * library_begin():
 * Initialise libmongoc, silence its log, which can hold values, and let
 * libbson wipe whatever it frees: documents hold plaintext.  May be called by
 * any thread, any number of times; it is never undone, because libmongoc
 * cannot be initialised twice.
 */
void library_begin(void);

#endif /* MONGO_LIBRARY_H */

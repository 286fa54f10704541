/*
 * proquint.h - bytes as words that can be read aloud and typed.
 *
 * Sixteen bits are a word of five letters, consonant vowel consonant vowel
 * consonant (D. Wilkerson, "A Proposal for Proquints", arXiv:0901.4016): no
 * list of words is needed, and no word is easily taken for another.
 */
#ifndef CORE_PROQUINT_H
#define CORE_PROQUINT_H

#include <envelope/bytes.h>

/* Characters of ${bytes} (even) as words, each followed by one character. */
#define PROQUINT_LEN(bytes) ((bytes) / 2u * 6u)

/**
 * proquint_encode(bytes, each_line, out):
 * Write the words of ${bytes} (an even number) to ${out}, which has room for
 * PROQUINT_LEN: a space after each, but a line feed after every ${each_line}
 * and after the last.
 */
void proquint_encode(struct envl_bytes bytes, size_t each_line, char *out);

/**
 * proquint_decode(text, out, bad):
 * Read words in any case, with white space, hyphens or commas between them;
 * a line that begins with '#' is no word.  ${out} must be filled exactly: if
 * not, fails with ENVL_E_FORMAT, and ${bad} is the number of the first word
 * that is none, or 0 if there are too few or too many.
 */
enum envl_status proquint_decode(struct envl_bytes text, struct envl_span out,
                                 size_t *bad);

#endif /* CORE_PROQUINT_H */

/*
 * sodium_once.h - libsodium finds out what the processor can do when it is
 * started; until then it has no AES.
 */
#ifndef CORE_SODIUM_ONCE_H
#define CORE_SODIUM_ONCE_H

#include <stdbool.h>

/**
 * sodium_once_aes():
 * Start libsodium if nobody has, and say whether it has AES-256-GCM here.
 * One atomic load after the first call.
 */
bool sodium_once_aes(void);

#endif /* CORE_SODIUM_ONCE_H */

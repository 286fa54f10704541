/*
 * A provider module for the tests of the loader: it "wraps" by XOR with the
 * first byte of its setting, and counts what is asked of it.  The tests copy
 * it to envl-provider-vault.so; -DFAKE_... are not used, the settings say how
 * it should misbehave.
 */
#include <stdlib.h>
#include <string.h>

#include <envelope/provider_module.h>
#include <envelope/version.h>

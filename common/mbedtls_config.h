// SPDX-License-Identifier: BSD-2-Clause
/* mbedTLS reduced to SHA-256 (MBEDTLS_CONFIG_FILE). Its wiping function is ours, because there is no C library. */
#define MBEDTLS_SHA256_C
#define MBEDTLS_PLATFORM_ZEROIZE_ALT

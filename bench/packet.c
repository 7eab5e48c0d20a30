/*
 * What sealing and sending a packet costs without anything else: the same frames under the same key as in
 * packet.ts, sealed with libsodium and sent with sendto. Compiled and driven by packet-in-c.ts; no part of
 * the server. Arguments: port, key (hex), file of frames (each behind its length, 16 bits, big-endian).
 * Prints the BLAKE2b hash of the first packets; then for each line "rounds" on its input the nanoseconds of CPU
 * time a packet for sealing and for sending.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, TAG = 16, SUFFIX = 4, MOST_FRAMES = 4096, MOST_BYTES = 1408 };

static const uint32_t SSRC = 0x01020304;

static unsigned char frames[MOST_FRAMES][MOST_BYTES];
static size_t lengths[MOST_FRAMES];
static unsigned char packets[MOST_FRAMES][MOST_BYTES];
static size_t count;
static unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void put32(unsigned char *at, uint32_t value) {
  at[0] = (unsigned char)(value >> 24);
  at[1] = (unsigned char)(value >> 16);
  at[2] = (unsigned char)(value >> 8);
  at[3] = (unsigned char)value;
}

static void seal(size_t n, uint32_t number) {
  unsigned char *packet = packets[n];
  unsigned char nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES] = {0};
  packet[0] = 0x80;
  packet[1] = 0x78;
  packet[2] = (unsigned char)(number >> 8);
  packet[3] = (unsigned char)number;
  put32(packet + 4, number * 960);
  put32(packet + 8, SSRC);
  put32(nonce, number);
  crypto_aead_xchacha20poly1305_ietf_encrypt(packet + HEADER, NULL, frames[n], lengths[n], packet, HEADER, NULL,
                                             nonce, key);
  put32(packet + HEADER + lengths[n] + TAG, number);
}

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void read_frames(const char *path) {
  unsigned char length[2];
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  while (count < MOST_FRAMES && fread(length, 1, 2, file) == 2) {
    lengths[count] = (size_t)length[0] << 8 | length[1];
    if (lengths[count] > MOST_BYTES - HEADER - TAG - SUFFIX) fail("a frame is too long");
    if (fread(frames[count], 1, lengths[count], file) != lengths[count]) fail("a frame is cut short");
    count++;
  }
  fclose(file);
}

static void print_hash(void) {
  crypto_generichash_state state;
  unsigned char hash[64];
  crypto_generichash_init(&state, NULL, 0, sizeof hash);
  for (size_t n = 0; n < count; n++) {
    seal(n, (uint32_t)n);
    crypto_generichash_update(&state, packets[n], HEADER + lengths[n] + TAG + SUFFIX);
  }
  crypto_generichash_final(&state, hash, sizeof hash);
  for (size_t n = 0; n < sizeof hash; n++) printf("%02x", hash[n]);
  printf("\n");
}

int main(int argc, char **argv) {
  struct sockaddr_in to = {0};
  char line[32];
  uint32_t number = 0;
  int out = socket(AF_INET, SOCK_DGRAM, 0);
  if (argc != 4 || out < 0 || sodium_init() < 0) fail("usage: packet PORT KEY FRAMES");
  if (sodium_hex2bin(key, sizeof key, argv[2], strlen(argv[2]), NULL, NULL, NULL) != 0) fail("no key");
  read_frames(argv[3]);
  to.sin_family = AF_INET;
  to.sin_port = htons((uint16_t)atoi(argv[1]));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setvbuf(stdout, NULL, _IOLBF, 0);
  print_hash();
  while (fgets(line, sizeof line, stdin) != NULL) {
    int rounds = atoi(line);
    double sealing = 0, sending = 0;
    for (int round = 0; round < rounds; round++) {
      double began = nanoseconds(), sealed;
      for (size_t n = 0; n < count; n++) seal(n, number++);
      sealed = nanoseconds();
      for (size_t n = 0; n < count; n++) {
        size_t length = HEADER + lengths[n] + TAG + SUFFIX;
        if (sendto(out, packets[n], length, 0, (struct sockaddr *)&to, sizeof to) < 0) fail("sendto");
      }
      sealing += sealed - began;
      sending += nanoseconds() - sealed;
    }
    printf("%.1f %.1f\n", sealing / rounds / (double)count, sending / rounds / (double)count);
  }
  close(out);
  return 0;
}

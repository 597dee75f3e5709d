// Times SEAL's BFV operations: `lattice 4096` prints the least of many batches of each, in microseconds, as JSON. SEAL's default chain, t of 20 bits.
// g++ -std=c++17 -O3 -march=native lattice.cpp -I<seal> -lseal-4.4 -lhexl -o lattice   (SEAL built with SEAL_USE_INTEL_HEXL=ON)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "seal/seal.h"

using namespace seal;

template <class F>
static double least(F operation, int batches = 200, int in_batch = 1) {
  using clock = std::chrono::steady_clock;
  for (int i = 0; i < 20; i++) operation();
  double best = 1e12;
  for (int batch = 0; batch < batches; batch++) {
    auto start = clock::now();
    for (int i = 0; i < in_batch; i++) operation();
    best = std::min(best, std::chrono::duration<double, std::micro>(clock::now() - start).count() / in_batch);
  }
  return best;
}

int main(int count, char** arguments) {
  size_t n = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 4096;
  EncryptionParameters parameters(scheme_type::bfv);
  parameters.set_poly_modulus_degree(n);
  parameters.set_coeff_modulus(CoeffModulus::BFVDefault(n));
  parameters.set_plain_modulus(PlainModulus::Batching(n, 20));
  SEALContext context(parameters);
  KeyGenerator keygen(context);
  PublicKey open;
  keygen.create_public_key(open);
  RelinKeys relin;
  keygen.create_relin_keys(relin);
  GaloisKeys galois;
  keygen.create_galois_keys(std::vector<int>{1}, galois);
  Encryptor encryptor(context, open, keygen.secret_key());
  Decryptor decryptor(context, keygen.secret_key());
  Evaluator evaluator(context);
  BatchEncoder encoder(context);
  std::vector<uint64_t> slots(n);
  for (size_t i = 0; i < n; i++) slots[i] = i * 7919 % 65537;
  Plaintext plain, result;
  encoder.encode(slots, plain);
  Ciphertext x, y, z;
  encryptor.encrypt(plain, x);
  encryptor.encrypt(plain, y);
  std::printf("{");
  std::printf("\"encryptPublic\": %.2f, ", least([&] { encryptor.encrypt(plain, z); }));
  std::printf("\"encryptSymmetric\": %.2f, ", least([&] { encryptor.encrypt_symmetric(plain, z); }));
  std::printf("\"decrypt\": %.2f, ", least([&] { decryptor.decrypt(x, result); }));
  std::printf("\"add\": %.2f, ", least([&] { evaluator.add(x, y, z); }, 200, 20));
  std::printf("\"multiply\": %.2f, ", least([&] { evaluator.multiply(x, y, z); }));
  std::printf("\"multiplyPlain\": %.2f, ", least([&] { evaluator.multiply_plain(x, plain, z); }));
  Plaintext transformed = plain;
  evaluator.transform_to_ntt_inplace(transformed, x.parms_id());
  Ciphertext values;
  evaluator.transform_to_ntt(x, values);
  std::printf("\"multiplyPrepared\": %.2f, ", least([&] { evaluator.multiply_plain(values, transformed, z); }, 200, 10));
  Ciphertext product;
  evaluator.multiply(x, y, product);
  std::printf("\"relinearize\": %.2f, ", least([&] { evaluator.relinearize(product, relin, z); }));
  std::printf("\"rotate\": %.2f}\n", least([&] { evaluator.rotate_rows(x, 1, galois, z); }));
}

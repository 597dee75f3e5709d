// Times HEXL's negacyclic transform: `transform 4096` prints the least of 200 batches of 20, in microseconds, as JSON.
// g++ -std=c++17 -O3 -march=native transform.cpp -lhexl -o transform
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "hexl/hexl.hpp"

template <class F>
static double least(F transform) {
  using clock = std::chrono::steady_clock;
  for (int i = 0; i < 2000; i++) transform();
  double best = 1e9;
  for (int batch = 0; batch < 200; batch++) {
    auto start = clock::now();
    for (int i = 0; i < 20; i++) transform();
    best = std::min(best, std::chrono::duration<double, std::micro>(clock::now() - start).count() / 20);
  }
  return best;
}

int main(int count, char** arguments) {
  uint64_t n = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 4096;
  uint64_t prime = intel::hexl::GeneratePrimes(1, 48, true, n)[0];  // the least prime above 2^48: 49 bits
  intel::hexl::NTT ntt(n, prime);
  std::vector<uint64_t> a(n);
  for (uint64_t i = 0; i < n; i++) a[i] = i * 0x9E3779B97F4A7C15ull % prime;
  double forward = least([&] { ntt.ComputeForward(a.data(), a.data(), 1, 1); });
  double inverse = least([&] { ntt.ComputeInverse(a.data(), a.data(), 1, 1); });
  std::printf("{\"forward\": %.3f, \"inverse\": %.3f}\n", forward, inverse);
}

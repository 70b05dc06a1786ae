#!/bin/sh
# The cryptographic words of every cpuinfo file, without any of this project's code: the lines that list features are
# cut into words by tr, and grep keeps those that are in the list of their architecture. Words of one letter (the V
# extension of RISC-V) are not found so; they stand in the test.
# Usage: sh extract-features.sh > features.tsv
cd "$(dirname "$0")" || exit 1
while IFS='|' read -r file architecture _; do
  separators=' \t,'
  case $architecture in
    x86) line=flags words='aes pclmulqdq vaes vpclmulqdq sha_ni sha512 gfni sm3 sm4 ssse3 avx avx2 avx512f avx512bw
      avx512vl avx512ifma bmi2 adx rdrand' ;;
    aarch64) line=Features words='aes pmull sha1 sha2 sha512 sha3 sm3 sm4 asimd sve sve2 sveaes svepmull svesha3
      svesm4' ;;
    arm) line=Features words='aes pmull sha1 sha2 neon' ;;
    riscv) line=isa separators='_ \t' words='zbb zbc zbkb zbkc zbkx zknd zkne zknh zksed zksh zkr zkt zvbb zvbc zvkb zvkg zvkned
      zvknha zvknhb zvksed zvksh zvkt' ;;
    s390x) line=features words='msa vx' ;;
    loongarch) line='[Ff]eatures' words='crypto lsx lasx' ;;
    *) continue ;;
  esac
  # shellcheck disable=SC2086
  found=$(grep -E "^$line[[:space:]]*:" "cpuinfo/$file.txt" | sort -u | sed 's/^[^:]*://' | tr "$separators" '\n' |
    grep -xF "$(printf '%s\n' $words)" | sort -u | tr '\n' ' ')
  printf '%s|%s\n' "$file" "${found% }"
done < identity.tsv

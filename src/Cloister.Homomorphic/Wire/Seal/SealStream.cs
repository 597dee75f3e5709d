using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>The stream that SEAL makes of a seed, in blocks of 4096 bytes: block i is BLAKE2Xb keyed by the seed, of the number i, or SHAKE256 of both.</summary>
/// <remarks>All blocks of BLAKE2Xb have the seed as their first 128 bytes, so that is hashed once, and the numbers of several blocks in lanes.</remarks>
internal sealed unsafe class SealStream
{
    internal const int BlockBytes = 4096;

    private const int MostLanes = 8;

    private readonly SealGenerator _generator;
    private readonly VectorWidth _width;
    private readonly byte[] _input = new byte[SealSeed.SeedBytes + 8], _roots = new byte[MostLanes * Blake2Xb.NodeBytes];
    private readonly ulong[] _keyed = new ulong[8];
    private ulong _next;
    private int _rootsLeft, _rootsMade;

    internal SealStream(SealGenerator generator, ReadOnlySpan<byte> seed, VectorWidth width)
    {
        (_generator, _width) = (generator, BitConverter.IsLittleEndian ? width : VectorWidth.Scalar);
        seed.CopyTo(_input);
        if (generator != SealGenerator.Blake2Xb) return;
        ulong* block = stackalloc ulong[16];
        for (int i = 0; i < 16; i++) block[i] = i < SealSeed.SeedBytes / 8 ? BinaryPrimitives.ReadUInt64LittleEndian(seed[(i * 8)..]) : 0;
        Blake2b.InitialVector.CopyTo(_keyed);
        _keyed[0] ^= Blake2Xb.RootParameters(SealSeed.SeedBytes);
        _keyed[1] ^= (ulong)BlockBytes << 32;
        fixed (ulong* state = _keyed) Blake2bCompression<Words1, ulong>.Run(state, block, Blake2b.BlockBytes, last: false);
    }

    /// <summary>The next block.</summary>
    internal void Read(Span<byte> block)
    {
        if (_generator == SealGenerator.Shake256)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_input.AsSpan(SealSeed.SeedBytes), _next++);
            Shake256.HashData(_input, block);
            return;
        }
        if (_rootsLeft == 0)
        {
            _rootsMade = _rootsLeft = _width switch
            {
                VectorWidth.Wide512 => Roots<Words8, Vector512<ulong>>(),
                VectorWidth.Wide256 => Roots<Words4, Vector256<ulong>>(),
                _ => Roots<Words1, ulong>(),
            };
        }
        Blake2Xb.Nodes(_roots.AsSpan((_rootsMade - _rootsLeft--) * Blake2Xb.NodeBytes, Blake2Xb.NodeBytes), block, _width);
    }

    // The roots of the next blocks, one a lane.
    private int Roots<TLanes, TWords>()
        where TLanes : struct, IWords<TWords>
        where TWords : unmanaged
    {
        TWords* block = stackalloc TWords[16], state = stackalloc TWords[8];
        for (int i = 0; i < 8; i++) state[i] = TLanes.Broadcast(_keyed[i]);
        for (int i = 0; i < 16; i++) block[i] = TLanes.Broadcast(0);
        for (int lane = 0; lane < TLanes.Count; lane++) ((ulong*)block)[lane] = _next++;
        Blake2bCompression<TLanes, TWords>.Run(state, block, Blake2b.BlockBytes + 8, last: true);
        fixed (byte* roots = _roots) TLanes.Store(state, roots);
        return TLanes.Count;
    }
}

namespace Cloister.Sealing.Tests;

public class SealingErrorTests
{
    // Numbers are append-only: programs and people remember them.
    [Fact]
    public void NumbersArePinned() => Assert.Equal(
        "NotASealedFile=100 UnknownVersion=101 UnknownAlgorithm=102 HeaderSize=103 MalformedHeader=104 UnknownChunkSize=105 TooManyEntries=106 NoEntries=107 " +
        "DuplicateEntryName=108 EmptyEntryName=109 UnsafeEntryName=110 InvalidContentName=111 InvalidContentVersion=112 ContentSize=113 Truncated=114 TrailingBytes=115 " +
        "SourceLength=116 TreeMismatch=200 ChunkChanged=201 ChunkTag=202 HpkeCiphertext=203 HpkeMessageLimit=204 KeyLength=300 WrongKey=301 KeyCommitment=302 " +
        "InvalidPublicKey=303 InvalidPrivateKey=304 WeakSharedSecret=305 MalformedShare=306 DuplicateShare=307 UnknownSignatureAlgorithm=400 MalformedMakerKey=401 ForeignMaker=402 BadSignature=403 " +
        "OtherDigest=404 OtherName=405 VersionTooOld=406 PlatformFailure=500",
        string.Join(' ', Enum.GetValues<SealingError>().Select(error => $"{error}={(int)error}")));
}

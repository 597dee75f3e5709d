using System.Text;
using Cloister.Images;
using Cloister.Images.Build;

namespace Cloister.Tests;

public sealed class ImageLockTests
{
    private static readonly string Digest = new('a', 64), Other = new('b', 64);

    [Fact]
    public void What_changed_is_said()
    {
        var before = new ImageLock(["redis", "-perl"], [new("package", "redis", "1", Digest), new("package", "gone", "1", Digest), new("tool", "squashfs-tools", "4.5", "")]);
        var now = new ImageLock(["redis"], [new("package", "redis", "2", Other), new("directory", "root", "", Digest), new("tool", "squashfs-tools", "4.5", "")]);
        Assert.Equal(
            ["new      directory root (SHA-256 aaaaaaaaaaaa)", "gone     package gone 1 (SHA-256 aaaaaaaaaaaa)", "changed  package redis 1 (SHA-256 aaaaaaaaaaaa), now 2 (SHA-256 bbbbbbbbbbbb)"],
            before.Differences(now));
        Assert.Empty(before.Differences(ImageLock.Read(before.Write())));
        Assert.Equal(before.Write(), ImageLock.Read(before.Write()).Write());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"version":2,"request":[],"inputs":[]}""")]
    [InlineData("""{"version":1,"request":[],"inputs":[],"more":1}""")]
    [InlineData("""{"version":1,"request":[1],"inputs":[]}""")]
    [InlineData("""{"version":1,"request":[],"inputs":[{"kind":"a","name":"b","version":"","sha256":"xyz"}]}""")]
    [InlineData("""{"version":1,"request":[],"inputs":[{"kind":"a","name":"b","version":""}]}""")]
    public void What_is_no_lock_is_refused(string text) =>
        Assert.Equal(ImageError.ImageInvalid, Assert.Throws<ImageException>(() => ImageLock.Read(Encoding.UTF8.GetBytes(text))).Error);

    [Fact]
    public void Hostile_bytes_give_a_lock_or_a_refusal()
    {
        byte[] valid = new ImageLock(["a"], [new("package", "redis", "1", Digest)]).Write();
        var random = new Random(5);
        for (int round = 0; round < 2000; round++)
        {
            byte[] mutated = (byte[])valid.Clone();
            for (int change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            ImageLock.Fuzz(mutated);
        }
    }
}

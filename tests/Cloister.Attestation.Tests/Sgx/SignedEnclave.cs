using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Tests;

/// <summary>Signature structures and ELF files around them, signed by a key that is for tests alone (RSA with exponent 3, which .NET does not make).</summary>
internal static class SignedEnclave
{
    private const string Signer =
        "MIIG/gIBADANBgkqhkiG9w0BAQEFAASCBugwggbkAgEAAoIBgQDQxoxBpFQbLpD+qJ/d/4HTKTnBvxq3rfX4wHrgbCFBkqhXKhc0yeqy9AN85VekrN8VtIbyW77hYFfbl8YiJAG3R9FoIf4cBUpa6P4q804Q1YZ1" +
        "+dP7mjWxVra8ZVlv6kvEzcheKOanx4tuKVd/2eb9o7sk460lvvEt8zvPepnnmJPI19aEStu2quPZUjhi7D7oEM+Uvc7oeveEe47x17JWAIFeuSRm+5K4yYpECyAGTUqu7bImbQZORaIhtJyJe4TIrChsfKwEhyOQ" +
        "SH21H3nXeto4b+K2Z9i55+9AT1uvZnkOro2MsTBz8oy1ZkfNZGAMAtcjdXvFAbTf4D8FTbHc/T8CvWdP2ooAbI5VubKnKKgV+Qwvm1WFu6sBLxT9IFqlDRx5bSQJsV1rAHxA/MgGr9w9YF5/L1qS651me7msqqGJ" +
        "TvmkKkfd+5G7Qs+AXWI+VGQ8mgGFxuLtLWASfRLE9YPoVy+pQN7EX445vgFNfgM3B70vgpgWtVtBi9KuEaUCAQMCggGBAIsvCCvC4rzJtf8bFT6qVozGJoEqEc/JTqXVp0BIFiu3GuTGuiMxRyH4AlNDj8Md6g54" +
        "Wfbn1JZAOpJlLsFtVnov4PAWqWgDhudF/sdM3rXjrvlRN/0ReSDkedLuO5/xh9iJMD7F7xqFB57GOlU771PCfMNCc25/S3P3fTT8Zpplt9s6jwLcknnHQpDheuydf0VgimMpNJr8pQL9CfaPzDlVq5R7bZn9DHsx" +
        "BtgHaq7eMcnzzBmeBDQubBZ4aFunrKbWkJ8RODa907zBwsfV1eURnTeqpHC5kX8eoDNsIPTVlICZBM3crzbVr3C5xmzolQssi1WtEB9XM8AZ8CQj7hdz2FW+nae83skAR7J8lm6ojcxeFrUsd+jICXGPylGDXz99" +
        "rebjYpsJ9tZuamaHtJWuTEulK2KO7CvnuywJ4yZKQjNA4hnJ79/sbbeqjmuiIFdArG5i+MxC0ug5nmMRUfl+Z+2hbhPA9KrxduZiDE1sFiuSM0hl+/Zlq4n6/qJ/MwKBwQDqb61Za+V9ZNb6wSLwZqnJOZbrZs49" +
        "fLY27vIAoQQbAnBNJDv2b7aKhOyn+PnSR+8BSQgOQvlp4C54c1AaJJM0YUJwlRg9nCewpEJooRDYSECZlPx5znC18A1wSPFfvTHFUdLt7L/uvJ1ACwMw5G3qgQW0HoXDu6/d5k3F4CQgL1CYyj1JORco18NcF/mq" +
        "Ma6Rja0M1aILTRgjHbQevdZlO/DYTr2EY4mWOHRVT+CnqwnUtTQuIYtY5D3JNijcht8CgcEA4/qiJHbyNQWO+mS2mPgPNqbXeYkdz9TIREsM8owmJSOqAKTKYXZzFy0Y5FakV7+Refb+FK7qLB64x0YGtPM5hW44" +
        "EYpilqMUIkfgYV3AKOOSydbtpgow8p+PZo50Ix4aAH7EsStQMmXN6U/ZdkzLO6lkF8oXp51Icym23ozA0wvto6NpNEJI5UEpy6sANLiDKeW0ii/qSBWObbk+XyVBaXv3K5ZNBzvmLbznitsOMbDYIPc8FMgSzDic" +
        "KV0r3cv7AoHBAJxKc5DymP5DOfyAwfWZxoYmZJzvNCj9zs9J9qsWArysSt4YJ/mfzwcDSG/7UTban1YwsAmB+5vqyaWiNWbDDM2WLEsOECkSxSBtgZsWCzra1bu4qFE0SyP1XkrbS5Uoy9jhN0lIf/R9viqyAiCY" +
        "SUcArngUWS0nypPu3oPqwsAfixCG04YmD3CP15K6pnF2dGEJHgiObAeIusITzWnT5EN9SzrfKQLtBmQlouOKlcUcsTh4zXQWXOXtfoYkGz2vPwKBwQCX/GwYT0wjWQn8QyRl+rTPGeT7sL6KjdrYMgihssQYwnFV" +
        "wzGWTvdkyLtC5G2P1QumpKljH0bIFHsvhAR4oiZY9CVhBuxkbLgW2pWWPoAbQmHb5J5usXX3FQpEXvgXaWaq/y3LcjV27olGNTukMzInxkK6hrpvvjBMxnnpsys3XUkXwkYi1ttDgMaHx1V4ewIb7nhcH/GFY7RJ" +
        "JimUw4Dw/U9yZDNaJ+7JKJpckgl2deVrT31jMAyIJb1w6MfpMqcCgcEAwaxJKhFx1Rf5z90yLemJr181CytI0UkT2w800cFT6lhxMC2Kp80Aj4C77K1Ibf5kiJrbhpwnJDim5qgMr5l73imGXFD4QaBaEvaVFzib" +
        "Na7dqAFaHSgBW43Ow8fkFoJ5AjvW5fhRzCs2sow9VGCs3xXXpalJdrHYkSefVYpsq+AFjeddaQ+iW7Hsrh9g0JxXd96I8SLWsFLGmRXSz6kfjNh1j5hsDuINZZrdouy4WTIYPntxwei6vrrEtczdjy2i";

    public const string MrEnclave = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    public static string MrSigner
    {
        get
        {
            using RSA key = Key();
            byte[] modulus = key.ExportParameters(false).Modulus!;
            Array.Reverse(modulus);
            return Convert.ToHexStringLower(SHA256.HashData(modulus));
        }
    }

    /// <summary>A structure as a signing tool writes it.</summary>
    public static byte[] Structure(ushort product = 15, ushort version = 7, ulong flags = 4, ulong mask = ulong.MaxValue)
    {
        using RSA key = Key();
        var bytes = new byte[1808];
        byte[] first = [6, 0, 0, 0, 0xE1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], second = [1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0];
        first.CopyTo(bytes, 0);
        second.CopyTo(bytes, 24);
        byte[] modulus = key.ExportParameters(false).Modulus!;
        Array.Reverse(modulus);
        modulus.CopyTo(bytes, 128);
        bytes[512] = 3;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(928), flags);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(944), mask);
        Convert.FromHexString(MrEnclave).CopyTo(bytes, 960);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(1024), product);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(1026), version);
        byte[] signature = key.SignData([.. bytes[..128], .. bytes[900..1028]], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Array.Reverse(signature);
        signature.CopyTo(bytes, 516);
        return bytes;
    }

    /// <summary>An ELF file with one section of the given name and content, and the table of names.</summary>
    public static byte[] Elf(string section, byte[] content)
    {
        byte[] names = Encoding.ASCII.GetBytes("\0.shstrtab\0" + section + "\0");
        int contentAt = 64, namesAt = contentAt + content.Length, tableAt = namesAt + names.Length;
        var file = new byte[tableAt + (3 * 64)];
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(file, 0);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(0x28), tableAt);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(0x3A), 64);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(0x3C), 3);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(0x3E), 1);
        content.CopyTo(file, contentAt);
        names.CopyTo(file, namesAt);
        Entry(1, 1, namesAt, names.Length);
        Entry(2, 11, contentAt, content.Length);
        return file;

        void Entry(int index, int name, int at, int size)
        {
            Span<byte> entry = file.AsSpan(tableAt + (index * 64));
            BinaryPrimitives.WriteInt32LittleEndian(entry, name);
            BinaryPrimitives.WriteInt64LittleEndian(entry[24..], at);
            BinaryPrimitives.WriteInt64LittleEndian(entry[32..], size);
        }
    }

    private static RSA Key()
    {
        var key = RSA.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(Signer), out _);
        return key;
    }
}

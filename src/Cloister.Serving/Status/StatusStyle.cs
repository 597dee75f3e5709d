using System.Security.Cryptography;
using System.Text;

namespace Cloister.Serving.Status;

/// <summary>The page's style, and the policy that lets a browser take this style and nothing else.</summary>
internal static class StatusStyle
{
    public const string Text = """
        :root{color-scheme:light dark;--ink:#1d2327;--quiet:#5b666e;--line:#d5dbdf;--paper:#fbfcfc;--card:#fff;--good:#1b6e3c;--bad:#a3261d;--bar:#3d6f96;--alarm:#fdeeda;--alarm-ink:#7a4100}
        @media(prefers-color-scheme:dark){:root{--ink:#e4e8ea;--quiet:#9aa5ad;--line:#38424a;--paper:#14181b;--card:#1b2024;--good:#6cc58f;--bad:#f0857b;--bar:#6ea3cd;--alarm:#3a2a10;--alarm-ink:#f2c98a}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
        main{max-width:56rem;margin:0 auto;padding:1.5rem 1rem}
        header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline}
        header p{margin:0}
        header p:last-child{margin-left:auto}
        h1{font-size:1.3rem;margin:0}
        h2{font-size:1.05rem;margin:0 0 .5rem}
        h2 span{font-weight:400;font-size:.9rem;margin-left:.5rem}
        section{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:1rem 1.25rem;margin:1rem 0;overflow-x:auto}
        table{border-collapse:collapse;margin:.25rem 0 .75rem}
        th,td{text-align:left;padding:.2rem 1.5rem .2rem 0;border-bottom:1px solid var(--line);font-weight:400;vertical-align:top}
        thead th{color:var(--quiet);font-size:.85rem}
        td{font-variant-numeric:tabular-nums}
        p{margin:.4rem 0}
        .quiet,footer,figcaption{color:var(--quiet);font-size:.9rem}
        .good{color:var(--good)}
        .bad{color:var(--bad)}
        .alarm{background:var(--alarm);color:var(--alarm-ink);padding:.5rem .75rem;border-radius:6px}
        figure{margin:.5rem 0 0}
        svg{max-width:100%;height:auto;display:block;margin-top:.25rem}
        svg rect{fill:var(--bar)}
        svg line{stroke:var(--line)}
        svg text{fill:var(--quiet);font-size:10px;font-family:inherit}
        """;

    /// <summary>The page's <c>Content-Security-Policy</c>.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Text)))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

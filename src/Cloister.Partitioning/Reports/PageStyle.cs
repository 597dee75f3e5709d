namespace Cloister.Partitioning.Reports;

/// <summary>How the page looks, in daylight and in the dark, on a wide screen, a telephone and paper.</summary>
internal static class PageStyle
{
    public const string Css = """
        :root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d2126;--soft:#5c6470;--line:#d9d7d0;--bad:#b3261e;--badpaper:#fbe9e7;--ok:#8a6100;--okpaper:#fff4d6;--one:#1f5fbf;--two:#7a3fb0;--grid:#e7e5de}
        @media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1c2026;--ink:#e7e9ec;--soft:#a0a8b4;--line:#343a43;--bad:#ff8a80;--badpaper:#3a1d1c;--ok:#ffcf66;--okpaper:#362c12;--one:#7fb2ff;--two:#cf9cff;--grid:#2a2f37}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
        main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}
        h1{font-size:1.5rem;line-height:1.25;margin:0 0 4px}
        h2{font-size:1.15rem;margin:40px 0 8px}
        h3{font-size:1rem;margin:0 0 6px}
        p{margin:6px 0;max-width:75ch}
        .soft{color:var(--soft)}
        .name{font-family:ui-monospace,monospace;font-size:.92em;overflow-wrap:anywhere}
        .advice{border:1px solid var(--line);border-left:6px solid var(--ok);background:var(--okpaper);border-radius:6px;padding:14px 18px;margin:16px 0}
        .advice.stop{border-left-color:var(--bad);background:var(--badpaper)}
        .advice p:first-child{font-size:1.2rem;font-weight:650;line-height:1.35}
        .scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px;background:var(--card)}
        table{border-collapse:collapse;width:100%;font-size:.92rem}
        th,td{padding:7px 10px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
        tr:last-child>*{border-bottom:0}
        th{color:var(--soft);font-weight:600}
        td:first-child{min-width:190px}
        td.figure,th.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        .leaks{color:var(--bad);font-weight:650}
        .unshown{color:var(--ok);font-weight:650}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:16px}
        figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:10px 12px}
        figcaption{font-size:.88rem;color:var(--soft)}
        svg{width:100%;height:auto;display:block}
        svg text{fill:var(--soft);font:12px system-ui,sans-serif}
        .grid{stroke:var(--grid)}
        .baseline{stroke:var(--soft);stroke-dasharray:5 4}
        .one{stroke:var(--one);fill:none;stroke-width:2}
        .two{stroke:var(--two);fill:none;stroke-width:2}
        .dot1{fill:var(--one)}
        .dot2{fill:var(--two)}
        .key{font-weight:600}
        .key.one,.key.two{stroke:none}
        svg text.key.one{fill:var(--one)}
        svg text.key.two{fill:var(--two)}
        .pictures td,.pictures th{border:0;padding:4px 6px}
        .pictures img{display:block;width:96px;height:auto;image-rendering:pixelated;border-radius:3px}
        .pictures th{white-space:normal;min-width:150px;max-width:220px;vertical-align:middle}
        details{background:var(--card);border:1px solid var(--line);border-radius:6px;margin:8px 0;padding:0 14px}
        summary{cursor:pointer;padding:9px 0}
        details>div{padding-bottom:10px}
        @media print{details{break-inside:avoid}.scroll{overflow:visible}}
        """;
}

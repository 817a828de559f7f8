"""Draws docs/images/trust-zones.svg and trust-zones.zh.svg: the same picture in two languages."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One of the three programs: its name, what it holds and what it never holds."""

    name: str
    holds: list[str]
    never: list[str]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Everything the picture says, in one language."""

    title: str
    zones: list[Zone]
    holds: str
    never: str
    wires: list[list[str]]
    answer: str


ENGLISH = Words(
    title="Three zones: the device holds the face, the server ciphertexts, the key holder the key",
    zones=[
        Zone(
            name="Your device",
            holds=["camera, picture", "embedding", "signing key"],
            never=["others' templates", "the decryption key"],
        ),
        Zone(
            name="Server",
            holds=["accounts", "encrypted templates", "public keys"],
            never=["pictures, embeddings", "scores", "the decryption key"],
        ),
        Zone(
            name="Key holder",
            holds=["decryption keys", "attempt counters", "audit chain"],
            never=["templates", "names, pictures"],
        ),
    ],
    holds="holds",
    never="never holds",
    wires=[["73,728 encrypted bytes,", "signed by the device"], ["a blinded difference,", "norm and range checks"]],
    answer="yes or no, signed",
)
CHINESE = Words(
    title="三个区域:设备持有人脸,服务器持有密文,密钥保管方持有密钥",
    zones=[
        Zone(name="你的设备", holds=["摄像头、照片", "特征向量", "签名密钥"], never=["别人的模板", "解密密钥"]),
        Zone(name="服务器", holds=["账号", "加密后的模板", "公钥"], never=["照片、特征向量", "分数", "解密密钥"]),
        Zone(name="密钥保管方", holds=["解密密钥", "尝试次数", "审计链"], never=["模板", "姓名、照片"]),
    ],
    holds="持有",
    never="从不持有",
    wires=[["73,728 字节密文,", "由设备签名"], ["盲化后的差值,", "范数与范围检查"]],
    answer="是或否,带签名",
)
STYLE = """
  text { font-family: system-ui, "PingFang SC", "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
    fill: #17262b }
  .zone { fill: #f6f8f8; stroke: #c9d4d6; stroke-width: 1.5 }
  .name { font-size: 21px; font-weight: 600 } .label { font-size: 12.5px; fill: #0b6170; letter-spacing: .04em }
  .item { font-size: 15px } .not { fill: #6a777b; text-decoration: line-through; text-decoration-color: #b0443a }
  .wire { stroke: #0b6170; stroke-width: 2; fill: none } .note { font-size: 13px; fill: #3c4d52; text-anchor: middle }
  .tip { fill: #0b6170 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edee } .zone { fill: #132024; stroke: #33464c } .item { fill: #e6edee } .not { fill: #93a3a8 }
    .label { fill: #6fc3d0 } .note { fill: #b6c4c8 } .wire { stroke: #6fc3d0 } .tip { fill: #6fc3d0 }
  }
"""
WIDTH, GAP, TOP = 220, 180, 30


def draw_zone(index: int, words: Words) -> str:
    zone, x = words.zones[index], 20 + index * (WIDTH + GAP)
    lines = [f'<rect class="zone" x="{x}" y="{TOP}" width="{WIDTH}" height="300" rx="14"/>']
    lines.append(f'<text class="name" x="{x + 24}" y="{TOP + 42}">{escape(zone.name)}</text>')
    y = TOP + 78
    for label, kind, items in ((words.holds, "item", zone.holds), (words.never, "item not", zone.never)):
        lines.append(f'<text class="label" x="{x + 24}" y="{y}">{escape(label)}</text>')
        for item in items:
            y += 25
            lines.append(f'<text class="{kind}" x="{x + 24}" y="{y}">{escape(item)}</text>')
        y += 38
    return "\n".join(lines)


def draw_wire(index: int, y: int, notes: list[str], *, back: bool) -> str:
    start, end = 20 + index * (WIDTH + GAP) + WIDTH + 8, 20 + (index + 1) * (WIDTH + GAP) - 8
    tip = f"M{start} {y}l12 -6v12z" if back else f"M{end} {y}l-12 -6v12z"
    first = y - 12 - 18 * (len(notes) - 1)
    said = "".join(
        f'<text class="note" x="{(start + end) / 2}" y="{first + 18 * row}">{escape(note)}</text>'
        for row, note in enumerate(notes)
    )
    return f'<path class="wire" d="M{start} {y}H{end}"/><path class="tip" d="{tip}"/>{said}'


def draw(words: Words) -> str:
    parts = [draw_zone(index, words) for index in range(3)]
    parts += [draw_wire(index, 160, notes, back=False) for index, notes in enumerate(words.wires)]
    parts += [draw_wire(index, 240, [words.answer], back=True) for index in range(2)]
    body, title = "\n".join(parts), escape(words.title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1060 360" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


if __name__ == "__main__":
    folder = Path(__file__).parents[1] / "docs" / "images"
    (folder / "trust-zones.svg").write_text(draw(ENGLISH), encoding="utf-8")
    (folder / "trust-zones.zh.svg").write_text(draw(CHINESE), encoding="utf-8")

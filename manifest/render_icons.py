"""Draw the PNG icons from icon.svg with a headless Chromium: `python manifest/render_icons.py`."""

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "icons"
# Maskable icons are cut to a circle of 80 %: the mark shrinks, the cord still leaves through the top edge.
MASKABLE = "#plate{rx:0} #mark{transform:translate(51px,45px) scale(.8)} #line{d:path('M256 -120V176')}"
SQUARE = "#plate{rx:0}"  # iOS rounds the corners itself
# Android paints a badge in one colour and uses its alpha only.
BADGE = "#plate{display:none} #line,#handle{stroke:#fff} #mark{transform:translate(-38px,-20px) scale(1.15)}"
ICONS = {
    "icon-192.png": (192, ""),
    "icon-512.png": (512, ""),
    "maskable-512.png": (512, MASKABLE),
    "apple-touch-180.png": (180, SQUARE),
    "badge-96.png": (96, BADGE),
}


def draw(page: Page, name: str, size: int, style: str) -> None:
    page.set_viewport_size({"width": size, "height": size})
    drawing = (FOLDER / "icon.svg").read_text(encoding="utf-8")
    page.set_content(f"<style>body{{margin:0}} svg{{display:block;width:{size}px}} {style}</style>{drawing}")
    page.screenshot(path=FOLDER / name, omit_background=True)


def main() -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_page()
        for name, (size, style) in ICONS.items():
            draw(page, name, size, style)
        browser.close()


if __name__ == "__main__":
    main()

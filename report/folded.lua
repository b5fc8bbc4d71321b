-- What only a few will read is folded: `::: {.folded summary="…"}`. The page unfolds it on demand; in the PDF it stands
-- where `::: {.unfolded}` is, under its summary as a heading, with the numbers that its figures and tables have on the
-- page (report.typst). Each writer leaves out what is raw for the other.

local function html(text)
  return pandoc.RawBlock("html", text)
end

local function typst(text)
  return pandoc.RawBlock("typst", text)
end

local function count(blocks, kind)
  local number = 0
  local function see(element)
    if element.identifier:find("^" .. kind .. "%-") then
      number = number + 1
    end
  end
  blocks:walk({ Div = see, Figure = see, Table = see })
  return number
end

function Div(div)
  if div.classes:includes("unfolded") then
    return typst("#unfolded()")
  elseif div.classes:includes("folded") then
    local summary, blocks = div.attributes.summary, div.content
    local text = summary:gsub("&", "&amp;"):gsub("<", "&lt;")
    local title = summary:gsub("\\", "\\\\"):gsub('"', '\\"')
    local start = ('#folded("%s", %d, %d)['):format(title, count(blocks, "fig"), count(blocks, "tbl"))
    blocks:insert(1, html('<details class="folded">\n<summary>' .. text .. "</summary>"))
    blocks:insert(2, typst(start))
    blocks:insert(typst("]"))
    blocks:insert(html("</details>"))
    return blocks
  end
end

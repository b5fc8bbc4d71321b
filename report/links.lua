-- Only http, https, mailto and relative addresses are links, and pictures lie beside the page. A notebook from
-- elsewhere may hold others: they would run something, or tell somebody that the report is read.

local SCHEMES = { http = true, https = true, mailto = true }

-- What a browser takes an address for: its scheme, "//" for a host without one, or nil for a relative address.
local function scheme(address)
  local read = address:gsub("[%c ]", ""):gsub("\\", "/"):lower()
  return read:match("^(%a[%w+.-]*):") or read:match("^//")
end

function Link(link)
  local found = scheme(link.target)
  if found and not SCHEMES[found] then
    return link.content
  end
end

function Image(image)
  if scheme(image.src) then
    return image.caption
  end
end

-- Usage: lua corpus.lua GATE POLICY CASES     prints the cases whose answer is another one, then their number
slurm = { SUCCESS = 0, ERROR = -1, log_user = function() end }
dofile(arg[1])
local policy = assert(vse_gate.read_policy(arg[2]))
local run, wrong = 0, 0
local function plain(text)
   return (text:gsub("\\(.)", { t = "\t", n = "\n", ["\\"] = "\\" }))
end
for line in io.lines(arg[3]) do
   if line:sub(1, 1) ~= "#" then
      local f = {}
      for field in (line .. "\t"):gmatch("([^\t]*)\t") do
         f[#f + 1] = plain(field)
      end
      local groups = {}
      for group in f[4]:gmatch("[^,]+") do
         groups[#groups + 1] = group
      end
      local answer = vse_gate.judge(policy, {
         queue = f[2],
         user = f[3],
         groups = groups,
         nodes = tonumber(f[5]),
         script = f[6],
         file = "job.sh",
      }) or "-"
      run = run + 1
      if answer ~= f[7] then
         wrong = wrong + 1
         print(f[1] .. ":\nexpected " .. f[7] .. "\nfound    " .. answer)
      end
   end
end
print(run .. " cases, " .. wrong .. " wrong")
os.exit(wrong == 0 and run > 0 and 0 or 1)

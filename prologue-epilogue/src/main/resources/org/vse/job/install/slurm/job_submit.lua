-- Slurm's job_submit.lua, by 'vse install'. A script with #VSE lines is judged by the compiled policy (docs/gate-format.md)
-- and gets the launcher in front; any other job goes through as it came. Lua 5.1 to 5.4. Nothing here waits or starts a
-- program.

local STARTER = "@STARTER@"
local POLICY = "@POLICY@"
local SITE = "@SITE@"
local MARK = "vse:1"
local UNSET = 65534

local SIZES = { KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30, TiB = 2 ^ 40 }

local function fields(line)
   local all = {}
   for field in (line .. "\t"):gmatch("([^\t]*)\t") do
      all[#all + 1] = field:gsub("\\(.)", { t = "\t", n = "\n", ["\\"] = "\\" })
   end
   return all
end

local function words(list)
   local set = {}
   for word in list:gmatch("[^,]+") do
      set[#set + 1] = word
      set[word] = true
   end
   return set
end

-- The compiled policy; nil and why when it cannot be used.
local function read_policy(path)
   local file, why = io.open(path, "r")
   if file == nil then
      return nil, why
   end
   local text = file:read("*a")
   file:close()
   local policy = { keys = {}, order = {}, mistakes = {}, queues = {} }
   local queue, ended, number = nil, false, 0
   for line in text:gmatch("([^\n]*)\n") do
      number = number + 1
      local f = fields(line)
      local what = f[1]
      if number == 1 then
         if line ~= "vse-gate\t1" then
            return nil, "it is of another version"
         end
      elseif line:sub(1, 1) == "#" then
         what = "#"
      elseif ended then
         return nil, "it goes on after its end"
      elseif what == "end" then
         ended = true
      elseif what == "key" then
         policy.keys[f[2]] = { standard = f[3], kind = f[4], f[5], f[6], f[7] }
         policy.order[#policy.order + 1] = f[2]
      elseif what == "mistake" then
         policy.mistakes[f[2]] = f[3]
      elseif what == "no-queue" then
         policy.no_queue = f[2]
      elseif what == "queue" then
         queue = { lines = {}, value = {}, open = {}, closed = {} }
         policy.queues[f[2]] = queue
      elseif queue == nil then
         return nil, "line " .. number .. " is not known"
      elseif what == "require" then
         queue.require = true
      elseif what == "value" then
         queue.value[f[2]] = { text = f[3], place = f[4] }
      elseif what == "open" or what == "closed" then
         queue[what][f[2]] = true
      else
         queue.lines[#queue.lines + 1] = f
      end
   end
   if not ended then
      return nil, "it has no end"
   end
   return policy
end

local function matches(glob, text)
   local pattern = glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
   return text:match("^" .. pattern .. "$") ~= nil
end

local function image_matches(glob, image)
   if glob:find(":", 1, true) == nil then
      return matches(glob, (image:gsub(":.*$", "")))
   end
   return matches(glob, image:find(":", 1, true) and image or image .. ":latest")
end

-- A whole number of digits, or nil; more digits than a double holds are more than everything.
local function whole(digits)
   local bare = digits:gsub("^0+", "")
   return #bare > 15 and math.huge or tonumber(bare) or 0
end

local function part(text)
   return #text <= 64 and text:match("^[a-z0-9][a-z0-9._-]*$") ~= nil
end

-- The number that a value stands for, or its text; nil and the code of the mistake when it is none.
local function read_value(key, text)
   local kind = key.kind
   if kind == "image" then
      local name, tag = text:match("^([^:]*):(.*)$")
      if name == nil then
         name, tag = text, "latest"
      end
      if part(name) and part(tag) then
         return text
      end
   elseif kind == "file" then
      local stem = text:match("^(.*)%.ya?ml$")
      if #text <= 1024 and not text:find("//", 1, true) and stem and stem ~= "" and stem:sub(-1) ~= "/" then
         return text
      end
   elseif kind == "words" then
      return text
   elseif kind == "choice" then
      if words(key[1])[text] and not text:find(",", 1, true) then
         return text
      end
   else
      local sign, digits, unit = text:match("^(%-?)(%d+)(%a*)$")
      local factor = kind == "count" and unit == "" and 1 or kind == "size" and SIZES[unit] or nil
      if digits and factor then
         local number = whole(digits) * factor
         if sign == "-" or number < tonumber(key[1]) or number > tonumber(key[2]) then
            return nil, "DIRECTIVE_OUT_OF_RANGE"
         end
         if key[3] and key[3] ~= "" and number % tonumber(key[3]) ~= 0 then
            return nil, "DIRECTIVE_OUT_OF_RANGE"
         end
         return number
      end
   end
   return nil, "DIRECTIVE_BAD_VALUE"
end

local function fill(text, marks)
   return (text:gsub("{([^{}]*)}", function(name)
      return name == "lb" and "{" or marks[name]
   end))
end

-- What the #VSE lines of a script say, by key, and the first of them; nil without a line; nil and a refusal for a mistake.
local function directives(policy, script, marks)
   local given, first, number = nil, nil, 0
   local function mistake(code, place, key, value)
      local all = { at = place .. ": ", key = key, value = value }
      for name, text in pairs(marks) do
         all[name] = text
      end
      return nil, fill(policy.mistakes[code] or code, all)
   end
   for line in (script .. "\n"):gmatch("([^\n]*)\n") do
      number = number + 1
      if line:match("^%s*$") == nil and line:match("^%s*#") == nil then
         break
      end
      local rest = line:match("^#VSE(.*)$")
      if rest and (rest == "" or rest:byte() <= 32 or rest:byte() > 126) then
         given = given or {}
         local here = marks.file .. ":" .. number
         local stop = rest:gsub("\r$", "")
         local any, at = false, 5
         while true do
            local from, to = stop:find("[^ \t]+", at - 4)
            if from == nil then
               break
            end
            any = true
            local word = stop:sub(from, to)
            at = to + 5
            if word:find("[^\33-\126]") or word:find("[#\"'`\\]") then
               return mistake("DIRECTIVE_SYNTAX", here)
            end
            local name, text = word:match("^([^=]+)=(.+)$")
            if name == nil then
               return mistake("DIRECTIVE_SYNTAX", here)
            end
            local key = policy.keys[name]
            if key == nil then
               return mistake("DIRECTIVE_UNKNOWN_KEY", here .. ":" .. from + 4, name, text)
            end
            local place = here .. ":" .. from + 4 + #name + 1
            local value, code = read_value(key, text)
            if value == nil then
               return mistake(code, place, name, text)
            end
            if given[name] then
               return mistake("DIRECTIVE_DUPLICATE", place, name, text)
            end
            given[name] = { text = text, value = value, place = place }
            first = first or given[name]
         end
         if not any then
            return mistake("DIRECTIVE_SYNTAX", here)
         end
      end
   end
   return given, first
end

-- What is known of each key once script, queue and standard are laid over each other.
local function known_values(policy, queue, given)
   local known = {}
   for _, name in ipairs(policy.order) do
      local key, known_one = policy.keys[name], given[name]
      if queue.closed[name] then
         known_one = nil
      elseif known_one == nil and given.vse == nil then
         local preset = queue.value[name]
         if preset then
            known_one = { text = preset.text, value = read_value(key, preset.text), place = preset.place }
         elseif key.standard ~= "" and not queue.open[name] then
            known_one = { text = key.standard, value = read_value(key, key.standard) }
         end
      end
      known[name] = known_one
   end
   return known
end

-- Nil for a script that passes, else the refusal.
local function judge(policy, job)
   local marks = { user = job.user, queue = job.queue, file = job.file }
   local given, first = directives(policy, job.script, marks)
   if given == nil and first ~= nil then
      return first
   end
   local queue = policy.queues[job.queue]
   if given == nil and not (queue and queue.require) then
      return nil
   end
   given = given or {}
   if queue == nil then
      return fill(policy.no_queue, marks)
   end
   local known = known_values(policy, queue, given)
   for name, one in pairs(known) do
      marks[name] = one.text
   end
   if job.nodes then
      known.nodes = { text = tostring(job.nodes), value = job.nodes }
      marks.nodes = known.nodes.text
   end
   local function refusal(text, one)
      marks.at = one and one.place and one.place ~= "" and one.place .. ": " or ""
      return fill(text, marks)
   end
   local allowed, groups_asked, image_allowed = false, false, false
   for _, f in ipairs(queue.lines) do
      local what = f[1]
      local image = known.image
      if what == "users-deny" and matches(f[2], job.user) then
         return refusal(f[3])
      elseif what == "groups-deny" or what == "groups-allow" then
         for _, group in ipairs(job.groups or {}) do
            if matches(f[2], group) then
               if what == "groups-deny" then
                  return refusal(f[3])
               end
               allowed = true
            end
         end
         groups_asked = groups_asked or what == "groups-allow"
      elseif what == "users-allow" then
         allowed = allowed or matches(f[2], job.user)
      elseif what == "users-else" then
         -- Whoever does not know the groups leaves it to the node.
         if not allowed and (job.groups or not groups_asked) then
            return refusal(f[2])
         end
      elseif what == "reserved" then
         local one = given[f[2]]
         if one and one.text ~= f[3] then
            marks[f[2]] = one.text
            return refusal(f[4], one)
         end
      elseif what == "images-deny" and image and image_matches(f[2], image.text) then
         return refusal(f[3], image)
      elseif what == "images-allow" then
         image_allowed = image_allowed or (image ~= nil and image_matches(f[2], image.text))
      elseif what == "images-else" and image and not image_allowed then
         return refusal(f[2], image)
      elseif what == "choice" then
         local one = known[f[2]]
         if one and not words(f[3])[one.text] then
            return refusal(f[4], one)
         end
      elseif what == "most" then
         local product, place, own = 1, nil, nil
         for _, name in ipairs(words(f[2])) do
            local one = known[name]
            product = product and one and product * one.value or nil
            place = one and one.place and one.place ~= "" and one or place
            own = given[name] or own
         end
         if product and product > tonumber(f[3]) then
            return refusal(f[4], own or place)
         end
      end
   end
   if known.image == nil and given.vse == nil and not queue.open.image and not queue.closed.image then
      return refusal(policy.mistakes.DIRECTIVE_IMAGE_MISSING, first)
   end
   return nil
end

local function refuse(text)
   for line in (text .. "\n"):gmatch("([^\n]*)\n") do
      slurm.log_user("%s", line)
   end
   return slurm.ERROR
end

local function base(path)
   return path and path:match("([^/]+)$") or "job script"
end

-- The partitions that the job may come to be in.
local function partitions_of(job, partitions)
   local names = {}
   for name in (job.partition or ""):gmatch("[^,]+") do
      names[#names + 1] = name
   end
   if #names == 0 then
      for name, partition in pairs(partitions or {}) do
         if partition.flag_default == 1 then
            names[1] = name
         end
      end
   end
   return #names > 0 and names or { "" }
end

-- The first of them in which every job runs in machines, or nil.
local function requiring(policy, names)
   for _, name in ipairs(names) do
      if policy and policy.queues[name] and policy.queues[name].require then
         return name
      end
   end
   return nil
end

-- A number of the request, or nil where it is not given: Slurm has a largest value of each width for that.
local function asked(number, unset)
   return number and number > 0 and number < unset and number or nil
end

local function mebibytes(bytes)
   return math.floor(bytes / 2 ^ 20)
end

-- The machines of a node and what the job asks Slurm for: what is missing is filled in; nil, or the refusal of what cannot
-- be. A job that asks for whole nodes has all of them.
local function agree(job, known, file)
   local vms = known["vms-per-node"] and known["vms-per-node"].value
   if vms == nil or type(vms) ~= "number" then
      return nil
   end
   local whole = job.shared == 0
   local nodes = asked(job.min_nodes, 4294967294) or 1
   local tasks = asked(job.num_tasks, 4294967294)
   local per_node = asked(job.ntasks_per_node, UNSET) or (tasks and math.floor((tasks + nodes - 1) / nodes)) or 1
   local per_task = asked(job.cpus_per_task, UNSET)
   local vcpus = known.vcpus and known.vcpus.value
   local function refusal(one, what, name, found, mend)
      local place = one and one.place and one.place ~= "" and one.place .. ": " or file .. ": "
      return "vse: " .. place .. what .. " [DIRECTIVE_CONFLICT]\n  " .. name .. ": " .. found .. "\n  next"
         .. (" "):rep(#name - 4) .. ": " .. mend
   end
   local needed = (vcpus or 1) * vms
   if per_task == nil and vcpus and needed > per_node then
      per_task = math.floor((needed + per_node - 1) / per_node)
      job.cpus_per_task = per_task
      job.min_cpus = per_task * (tasks or per_node * nodes)
   end
   local cores = per_node * (per_task or 1)
   if needed > cores and not whole then
      local one = known.vcpus or known["vms-per-node"]
      return refusal(one, ("the VMs of a node need %d cores, but the job asks for %d"):format(needed, cores),
         "asked of Slurm", ("%d task(s) a node, %d core(s) a task"):format(per_node, per_task or 1),
         ("ask for --cpus-per-task=%d, or lower vcpus or vms-per-node"):format(
            math.floor((needed + per_node - 1) / per_node)))
   end
   if known.memory then
      local memory = mebibytes(known.memory.value * vms)
      local of_node, of_core = job.min_mem_per_node, job.min_mem_per_cpu
      if of_node == nil and of_core == nil then
         job.min_mem_per_node = memory
      else
         local has = of_node or of_core * cores
         if has > 0 and has < memory and not (whole and of_core) then
            return refusal(known.memory,
               ("the VMs of a node need %d MiB, but the job asks for %d MiB"):format(memory, has),
               "asked of Slurm", of_node and "--mem" or ("--mem-per-cpu of %d core(s)"):format(cores),
               ("ask for --mem=%dM, or lower memory or vms-per-node"):format(memory))
         end
      end
   end
   return nil
end

local function admit(job, partitions)
   local script = job.script
   local policy, why = read_policy(POLICY)
   local names = partitions_of(job, partitions)
   local required = requiring(policy, names)
   if script == nil then
      if required then
         return refuse("vse: queue '" .. required .. "' runs jobs in virtual machines only, and an interactive job has no script"
            .. " that a machine could run [USAGE]\n  next: submit a script by sbatch; while it runs, 'vse vm ssh JOB' on its"
            .. " node is a shell in its machine")
      end
      return slurm.SUCCESS
   end
   if policy == nil then
      if script:find("\n#VSE", 1, true) == nil and script:sub(1, 4) ~= "#VSE" then
         return slurm.SUCCESS
      end
      return refuse("vse: jobs with #VSE lines are not taken: the site's compiled policy cannot be used: " .. why)
   end
   local file = base(job.argv and job.argv[0])
   local wrong
   for _, name in ipairs(names) do
      wrong = judge(policy, {
         user = job.user_name or "",
         queue = name,
         file = file,
         nodes = asked(job.min_nodes, 4294967294),
         script = script,
      })
      if wrong then
         return refuse(wrong)
      end
   end
   local given = directives(policy, script, { user = "", queue = "", file = file })
   if given == nil and not required then
      return slurm.SUCCESS
   end
   wrong = agree(job, known_values(policy, policy.queues[required or names[1]], given or {}), file)
   if wrong then
      return refuse(wrong)
   end
   job.script = "#!/bin/sh\nexec " .. STARTER .. ' "$0" "$@" # VSE launcher\n' .. script
   local comment = job.comment
   if comment == nil or comment == "" then
      job.comment = MARK
   elseif not comment:find(MARK, 1, true) then
      job.comment = comment .. " " .. MARK
   end
   return slurm.SUCCESS
end

slurm_job_submit = nil
slurm_job_modify = nil
if SITE:sub(1, 1) == "/" then
   dofile(SITE)
end
local site_submit, site_modify = slurm_job_submit, slurm_job_modify

function slurm_job_submit(job, partitions, uid)
   if site_submit then
      local code = site_submit(job, partitions, uid)
      if code ~= nil and code ~= slurm.SUCCESS then
         return code
      end
   end
   return admit(job, partitions)
end

function slurm_job_modify(job, record, partitions, uid)
   if site_modify then
      local code = site_modify(job, record, partitions, uid)
      if code ~= nil and code ~= slurm.SUCCESS then
         return code
      end
   end
   -- A job that was submitted to run on the node itself stays out of where all jobs run in machines.
   local required = job.partition and requiring(read_policy(POLICY), partitions_of(job, partitions))
   if required and not (record.comment or ""):find(MARK, 1, true) then
      return refuse("vse: queue '" .. required .. "' runs jobs in virtual machines only, and this job was submitted to run without"
         .. " [POLICY_QUEUE_DENIED]\n  next: submit it to that queue")
   end
   return slurm.SUCCESS
end

-- For tests, which run this file without Slurm.
vse_gate = { read_policy = read_policy, judge = judge, agree = agree }

return slurm.SUCCESS

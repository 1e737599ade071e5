-- Usage: lua agreement.lua GATE     what the gate fills in and refuses, from what a job asks Slurm for
slurm = { SUCCESS = 0, ERROR = -1, log_user = function() end }
dofile(arg[1])
local NONE16, NONE32 = 65534, 4294967294
local MIB = 2 ^ 20
local wrong, run = 0, 0

-- want: fields of the job afterwards, or the words of a refusal.
local function case(name, job, vse, want)
   local known = { ["vms-per-node"] = { value = vse.vms or 1 } }
   known.vcpus = vse.vcpus and { value = vse.vcpus, place = "job.sh:2:12" }
   known.memory = vse.memory and { value = vse.memory * MIB, place = "job.sh:2:21" }
   local asked = { cpus_per_task = NONE16, ntasks_per_node = NONE16, num_tasks = NONE32, min_nodes = NONE32, shared = NONE16 }
   for field, value in pairs(job) do
      asked[field] = value
   end
   local said = vse_gate.agree(asked, known, "job.sh")
   local found = type(want) == "string" and said or "accepted"
   local right = type(want) == "string" and said ~= nil and said:find(want, 1, true) ~= nil
   if type(want) == "table" then
      right = said == nil
      found = said or ""
      for field, value in pairs(want) do
         right = right and asked[field] == value
         found = found .. " " .. field .. "=" .. tostring(asked[field])
      end
   end
   run = run + 1
   if not right then
      wrong = wrong + 1
      print(name .. ": found " .. tostring(found))
   end
end

case("cores are filled in", {}, { vcpus = 2 }, { cpus_per_task = 2, min_cpus = 2 })
case("for each machine of a node", {}, { vcpus = 2, vms = 2 }, { cpus_per_task = 4, min_cpus = 4 })
case("for each node", { min_nodes = 2 }, { vcpus = 2 }, { cpus_per_task = 2, min_cpus = 4 })
case("for each task", { num_tasks = 2, min_nodes = 2 }, { vcpus = 2 }, { cpus_per_task = 2, min_cpus = 4 })
case("tasks on one node share them", { num_tasks = 2 }, { vcpus = 4 }, { cpus_per_task = 2, min_cpus = 4 })
case("tasks that are enough", { num_tasks = 4 }, { vcpus = 4 }, { cpus_per_task = NONE16 })
case("nothing is asked for", { num_tasks = 2 }, {}, { cpus_per_task = NONE16 })
case("cores that are enough stay", { cpus_per_task = 4 }, { vcpus = 2 }, { cpus_per_task = 4 })
case("too few cores", { cpus_per_task = 2, num_tasks = 1 }, { vcpus = 4 },
   "vse: job.sh:2:12: the VMs of a node need 4 cores, but the job asks for 2 [DIRECTIVE_CONFLICT]")
case("whole nodes have enough", { cpus_per_task = 1, shared = 0 }, { vcpus = 4 }, { cpus_per_task = 1 })
case("too many machines", { cpus_per_task = 1 }, { vms = 3 },
   "vse: job.sh: the VMs of a node need 3 cores, but the job asks for 1 [DIRECTIVE_CONFLICT]")
case("memory is filled in", {}, { memory = 512 }, { min_mem_per_node = 512 })
case("of all machines of a node", { cpus_per_task = 2 }, { memory = 512, vms = 2 }, { min_mem_per_node = 1024 })
case("memory that is enough stays", { min_mem_per_node = 2048 }, { memory = 512 }, { min_mem_per_node = 2048 })
case("memory by core", { min_mem_per_cpu = 256, cpus_per_task = 2 }, { memory = 512 }, { min_mem_per_cpu = 256 })
case("all memory of a node", { min_mem_per_node = 0 }, { memory = 512 }, { min_mem_per_node = 0 })
case("too little memory", { min_mem_per_node = 256 }, { memory = 512 },
   "vse: job.sh:2:21: the VMs of a node need 512 MiB, but the job asks for 256 MiB [DIRECTIVE_CONFLICT]")
case("too little memory by core", { min_mem_per_cpu = 100, cpus_per_task = 2 }, { memory = 512 },
   "need 512 MiB, but the job asks for 200 MiB")
print(run .. " cases, " .. wrong .. " wrong")
os.exit(wrong == 0 and run > 0 and 0 or 1)

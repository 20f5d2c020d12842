// Runs the scripts that are named, one after the other. Loading the SDK takes a second, here once.
for (const script of process.argv.slice(2)) await import(`./${script}`);

// A machine of another maker, with real alarms (OPC UA Part 9) and secure endpoints: a tank whose level has two upper
// limits. One order on each line of standard input, as JSON; one answer on each line of standard output.
"use strict";
const readline = require("node:readline");
const os = require("node:os");
const path = require("node:path");
const { DataType, OPCUAServer, OPCUACertificateManager } = require("node-opcua");

const [port, folder] = process.argv.slice(2);
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
for (const name of ["log", "info", "warn", "error"]) console[name] = () => {}; // our answers are all there is

async function main() {
  const certificates = new OPCUACertificateManager({ rootFolder: path.join(folder, "pki"), automaticallyAcceptUnknownCertificate: true });
  await certificates.initialize();
  const server = new OPCUAServer({
    port: Number(port),
    hostname: "127.0.0.1",
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    buildInfo: { productName: "tank" },
    serverInfo: { applicationUri: `urn:${os.hostname()}:tank` },
    allowAnonymous: true,
    userManager: { isValidUser: (name, password) => name === "pullcord" && password === "andon" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  space.installAlarmsAndConditionsService();
  const own = space.getOwnNamespace();
  const tank = own.addObject({ browseName: "Tank", organizedBy: space.rootFolder.objects, eventSourceOf: space.rootFolder.objects.server, eventNotifier: 1 });
  const level = own.addVariable({ browseName: "Level", propertyOf: tank, dataType: "Double", eventSourceOf: tank });
  const put = (value) => level.setValueFromSource({ dataType: DataType.Double, value });
  put(50);
  const alarm = own.instantiateExclusiveLimitAlarm("ExclusiveLimitAlarmType", {
    browseName: "LevelAlarm",
    componentOf: tank,
    conditionSource: level,
    inputNode: level,
    lowLowLimit: -10,
    lowLimit: -5,
    highLimit: 80,
    highHighLimit: 95,
    optionals: ["ConfirmedState", "Confirm", "ShelvingState"],
  });
  alarm.setEnabledState(true);
  alarm.shelvingState.setState("Unshelved"); // until then it says that it is shelved
  await server.start();
  say(true);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    let answer = true;
    if (order.do === "level") put(order.value);
    if (order.do === "shelve") alarm.shelvingState.setState(order.on ? "OneShotShelved" : "Unshelved");
    if (order.do === "state") {
      const branch = alarm.currentBranch();
      answer = {
        active: alarm.activeState.getValue(),
        acked: branch.getAckedState(),
        confirmed: branch.getConfirmedState(),
        comment: branch.getComment().text || "",
        branches: alarm.getBranchCount(),
      };
    }
    say(answer);
  }
}

main().catch((error) => {
  process.stderr.write(String(error && error.stack));
  process.exit(1);
});

"""What people in the demonstration plant say and do: by (category, symptom), and repairs by (category, cause).

Longer than most files because it is a list; there is no logic here.
"""

from app.kit.columns import Names

SAID: dict[tuple[str, str], str] = {
    ("machine", "stopped"): "突然停机，屏幕无报警 / Stopped suddenly, no alarm on the screen",
    ("machine", "noise"): "有异响，像轴承 / Strange noise, like a bearing",
    ("machine", "hot"): "电机外壳烫手 / Motor housing too hot to touch",
    ("machine", "leak"): "油管接头漏油 / Oil leaks at a hose fitting",
    ("machine", "jam"): "料片卡在送料口 / Blank jammed at the feeder",
    ("machine", "sensor"): "到位传感器不亮 / Position sensor stays dark",
    ("quality", "dimension"): "孔距偏 0.3 mm / Hole spacing off by 0.3 mm",
    ("quality", "scratch"): "表面划伤，连续三件 / Scratched surface, three in a row",
    ("quality", "missing"): "少装一个螺钉 / One screw missing",
    ("quality", "colour"): "表面发白 / Surface turns white",
    ("quality", "function"): "气密测试不过 / Fails the leak test",
    ("quality", "series"): "连续五件不良 / Five bad parts in a row",
    ("material", "short"): "螺钉只够二十分钟 / Screws for twenty minutes left",
    ("material", "none"): "料架空了 / The rack is empty",
    ("material", "wrong"): "来料型号不对 / Wrong part number delivered",
    ("material", "damaged"): "外箱压坏 / Box crushed",
    ("material", "label"): "标签扫不出 / Label does not scan",
    ("method", "temperature"): "温度与工艺卡不符 / Temperature is not what the sheet says",
    ("method", "pressure"): "压力低于工艺卡 / Pressure below the sheet",
    ("method", "speed"): "节拍变慢 / Cycle has become slow",
    ("method", "program"): "换型后程序没切换 / Program not switched after changeover",
    ("method", "sop"): "新产品没有作业指导书 / No instruction for the new product",
    ("man", "absent"): "缺一人 / One person missing",
    ("man", "help"): "需要人帮忙搬模具 / Need a hand with the tool",
    ("environment", "air"): "气压不足，夹具夹不紧 / Air too low, clamps do not hold",
    ("environment", "humidity"): "湿度超标 / Too humid",
    ("environment", "dust"): "粉尘多 / Dusty",
    ("measurement", "gauge"): "通规进不去 / Gauge does not enter",
    ("measurement", "tester"): "测试机黑屏 / Tester screen is black",
    ("safety", "guard"): "安全门关不上 / Guard door does not close",
    ("safety", "floor"): "地面有油 / Oil on the floor",
    ("safety", "near"): "叉车差点撞到人 / Fork-lift nearly hit somebody",
    ("information", "mes"): "MES 报工失败 / MES does not take the booking",
    ("information", "printer"): "打印机不出标签 / Printer gives no labels",
    ("information", "network"): "平板连不上网 / Tablet has no network",
    ("information", "scanner"): "扫描枪没反应 / Scanner does nothing",
}

DONE: dict[tuple[str, str], str] = {
    ("machine", "wear"): "更换磨损件，试运行三件合格 / Replaced the worn part, three good parts",
    ("machine", "loose"): "重新紧固并打标记 / Tightened and marked",
    ("machine", "dirt"): "清理积屑，吹净 / Removed chips, blew it clean",
    ("machine", "sensor"): "更换传感器线缆 / Replaced the sensor cable",
    ("machine", "setting"): "恢复参数并锁定 / Restored and locked the parameter",
    ("machine", "material"): "换批次，隔离不良料 / Changed the batch, set the bad one aside",
    ("quality", "tool"): "修磨刀口，首件确认 / Reground the tool, first part checked",
    ("quality", "setting"): "补偿值改回 / Put the offset back",
    ("quality", "material"): "整批隔离并通知供应商 / Batch set aside, supplier told",
    ("quality", "step"): "返工，当班再培训 / Reworked, shift trained again",
    ("quality", "gauge"): "换量具，重测二十件 / Changed the gauge, measured twenty again",
    ("material", "plan"): "补料并改看板数量 / Refilled, kanban quantity changed",
    ("material", "transport"): "小火车加一班 / One more tugger run",
    ("material", "supplier"): "换合格批次 / Took a good batch",
    ("material", "mixup"): "换回正确物料，库位重贴 / Right part brought, bin relabelled",
    ("method", "setting"): "按工艺卡恢复 / Restored as on the sheet",
    ("method", "program"): "切换到正确程序版本 / Switched to the right program",
    ("method", "drift"): "重新校准，缩短点检周期 / Recalibrated, checked more often",
    ("method", "instruction"): "补发作业指导书 / Instruction handed out",
    ("man", "absence"): "班长顶岗 / Team lead covers",
    ("man", "training"): "安排师傅带教 / Paired with an experienced colleague",
    ("man", "load"): "调整工序分配 / Work steps rearranged",
    ("environment", "supply"): "切换备用空压机 / Switched to the spare compressor",
    ("environment", "filter"): "更换滤网 / Changed the filter",
    ("environment", "weather"): "加开除湿机 / Second dehumidifier on",
    ("measurement", "calibration"): "重新校准并贴标 / Calibrated and labelled",
    ("measurement", "worn"): "更换量具 / Replaced the gauge",
    ("measurement", "software"): "重启并升级软件 / Restarted and updated",
    ("safety", "guard"): "修好门锁，试三次 / Door lock repaired, tried three times",
    ("safety", "order"): "清理现场 / Cleared the place",
    ("safety", "behaviour"): "当面提醒，班前会宣讲 / Spoken to, told at the shift meeting",
    ("information", "server"): "重启服务 / Restarted the service",
    ("information", "network"): "更换网线 / Replaced the network cable",
    ("information", "device"): "更换终端 / Replaced the device",
}

WHY: dict[tuple[str, str], tuple[str, ...]] = {
    ("machine", "stopped"): ("sensor", "setting", "wear"),
    ("machine", "noise"): ("wear", "loose"),
    ("machine", "hot"): ("dirt", "wear"),
    ("machine", "leak"): ("wear", "loose"),
    ("machine", "jam"): ("material", "dirt", "loose"),
    ("machine", "sensor"): ("sensor", "dirt"),
    ("quality", "dimension"): ("tool", "setting", "gauge"),
    ("quality", "scratch"): ("tool",),
    ("quality", "missing"): ("step",),
    ("quality", "colour"): ("material", "setting"),
    ("quality", "function"): ("material", "step"),
    ("quality", "series"): ("tool", "setting"),
    ("material", "short"): ("transport", "plan"),
    ("material", "none"): ("plan", "transport"),
    ("material", "wrong"): ("mixup",),
    ("material", "damaged"): ("transport", "supplier"),
    ("material", "batch"): ("mixup", "supplier"),
    ("material", "label"): ("supplier",),
    ("method", "temperature"): ("drift", "setting"),
    ("method", "pressure"): ("drift", "setting"),
    ("method", "speed"): ("setting",),
    ("method", "ratio"): ("setting",),
    ("method", "program"): ("program",),
    ("method", "sop"): ("instruction",),
    ("man", "absent"): ("absence",),
    ("man", "help"): ("load",),
    ("man", "training"): ("training",),
    ("man", "skipped"): ("training", "load"),
    ("environment", "power"): ("supply",),
    ("environment", "air"): ("supply", "filter"),
    ("environment", "heat"): ("weather",),
    ("environment", "humidity"): ("weather",),
    ("environment", "dust"): ("filter",),
    ("environment", "light"): ("supply",),
    ("measurement", "gauge"): ("worn", "calibration"),
    ("measurement", "tester"): ("software",),
    ("measurement", "calibration"): ("calibration",),
    ("safety", "guard"): ("guard",),
    ("safety", "leak"): ("guard", "order"),
    ("safety", "floor"): ("order",),
    ("safety", "near"): ("behaviour",),
    ("information", "mes"): ("server",),
    ("information", "printer"): ("device",),
    ("information", "network"): ("network",),
    ("information", "scanner"): ("device",),
}
"""What is behind a symptom, the most frequent first."""

NEVER = frozenset({"injury", "fire"})
"""Symptoms that no demonstration makes light of."""

CONTAINED = "可疑品已隔离 / Suspect parts set aside"
HANDED_OVER = "5 号冲压机油压还不稳，请多留意 / Pressure of Press 5 is not stable yet, please watch it"
WAITING_FOR_PART = "等备件，已下单 / Waiting for a spare part, ordered"
NOT_FIXED = "十分钟后又出现 / It came again after ten minutes"


def both(names: Names) -> str:
    """A name in both languages, as our people write."""
    return f"{names['zh']} / {names['en']}"

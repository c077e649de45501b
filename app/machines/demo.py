"""The demonstration plant's signals: what the simulator serves and the seed watches. Pure data.

Stations are numbered 1 to 12 in the order of the lines. `normal` ± `swing` is what a healthy machine shows; `abnormal`
is what it shows when it is told to misbehave, far enough outside to be an alarm after the rule's delay.
"""

from dataclasses import dataclass

from app.machines.rules import Kind

NAMESPACE = "urn:pullcord:demo-plant"


@dataclass(frozen=True, slots=True)
class DemoRule:
    """One alarm rule of a demonstration tag; the fields are those of AlarmRule."""

    kind: Kind
    setpoint: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    active_when: bool = True
    severity: int = 3
    category: str = "machine"
    component: str = ""
    message: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DemoTag:
    """One signal. `node` is complete, with its namespace by name."""

    path: str
    en: str
    zh: str
    station: int
    unit: str
    normal: float | bool
    abnormal: float | bool
    swing: float
    rules: tuple[DemoRule, ...]

    @property
    def node(self) -> str:
        return f"nsu={NAMESPACE};s={self.path}"

    @property
    def names(self) -> dict[str, str]:
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, slots=True)
class DemoAlarm:
    """An alarm that the machine itself has. `node` is the signal behind it: true while the paper is low."""

    path: str
    place: str
    message: str
    station: int
    severity: int

    @property
    def node(self) -> str:
        return f"nsu={NAMESPACE};s={self.path}"


DEMO_ALARM = DemoAlarm("S12.PaperLow", "Label printer", "Paper roll nearly empty", station=12, severity=350)


def high(setpoint: float, deadband: float, **more: object) -> DemoRule:
    return DemoRule(Kind.HIGH, setpoint, deadband, **more)  # type: ignore[arg-type]


def low(setpoint: float, deadband: float, **more: object) -> DemoRule:
    return DemoRule(Kind.LOW, setpoint, deadband, **more)  # type: ignore[arg-type]


def says(en: str, zh: str) -> tuple[tuple[str, str], ...]:
    return (("en", en), ("zh", zh))


GUARD_OPEN = DemoRule(
    Kind.DISCRETE,
    on_delay_s=2,
    severity=2,
    category="safety",
    component="guard",
    message=says("Guard door open while running", "运行中安全门打开"),
)
FROZEN = DemoRule(
    Kind.STALE,
    setpoint=30,
    on_delay_s=15,
    severity=3,
    message=says("{tag}: no fresh value", "{tag}：数值不再更新"),
)

_S, _T, _R = DemoTag, "°C", "mm/s"

DEMO_TAGS: tuple[DemoTag, ...] = (
    _S("S01.HydraulicPressure", "Hydraulic pressure", "液压压力", 1, "bar", 160.0, 118.0, 4.0,
       (low(130, 4, on_delay_s=2, severity=2, component="hydraulics"),)),
    _S("S01.GuardOpen", "Guard door", "安全门", 1, "", False, True, 0.0, (GUARD_OPEN,)),
    _S("S02.SpindleTemperature", "Spindle temperature", "主轴温度", 2, _T, 62.0, 96.0, 2.5,
       (high(85, 3, on_delay_s=2, off_delay_s=5, severity=2, component="spindle"),)),
    _S("S02.Vibration", "Vibration", "振动", 2, _R, 2.1, 8.2, 0.4,
       (high(7.1, 0.6, on_delay_s=2, component="spindle"), FROZEN)),
    _S("S03.SpindleTemperature", "Spindle temperature", "主轴温度", 3, _T, 64.0, 97.0, 2.5,
       (high(85, 3, on_delay_s=2, off_delay_s=5, severity=2, component="spindle"),)),
    _S("S03.HydraulicPressure", "Hydraulic pressure", "液压压力", 3, "bar", 158.0, 115.0, 4.0,
       (low(130, 4, on_delay_s=2, severity=2, component="hydraulics"),)),
    _S("S03.GuardOpen", "Guard door", "安全门", 3, "", False, True, 0.0, (GUARD_OPEN,)),
    _S("S04.MotorCurrent", "Conveyor motor current", "输送机电机电流", 4, "A", 11.5, 19.5, 0.8,
       (high(16, 1, on_delay_s=2, component="conveyor"),)),
    _S("S05.OvenTemperature", "Oven temperature", "炉温", 5, _T, 182.0, 216.0, 1.5,
       (high(200, 4, on_delay_s=2, off_delay_s=5, severity=2, category="method", component="heating"),
        low(165, 4, on_delay_s=5, category="method", component="heating"))),
    _S("S05.ExhaustFanRunning", "Exhaust fan", "排风机", 5, "", True, False, 0.0,
       (DemoRule(Kind.DISCRETE, active_when=False, on_delay_s=2, severity=2, component="exhaust",
                 message=says("Exhaust fan stopped", "排风机停机")),)),
    _S("S06.Vibration", "Vibration", "振动", 6, _R, 1.8, 9.0, 0.3,
       (high(7.1, 0.6, on_delay_s=2, component="bearing"), FROZEN)),
    _S("S07.AirPressure", "Air supply pressure", "气源压力", 7, "bar", 6.3, 4.4, 0.15,
       (low(5.2, 0.2, on_delay_s=2, severity=2, category="environment", component="air"),)),
    _S("S07.WeldCurrent", "Welding current", "焊接电流", 7, "kA", 9.2, 6.4, 0.2,
       (low(7.5, 0.3, on_delay_s=2, category="method", component="welding"),)),
    _S("S08.ScrewTorque", "Screw torque", "拧紧扭矩", 8, "Nm", 12.0, 8.1, 0.3,
       (low(10.5, 0.3, on_delay_s=2, category="method", component="screwdriver"),
        high(13.5, 0.3, on_delay_s=2, category="method", component="screwdriver"))),
    _S("S09.GlueTemperature", "Glue temperature", "胶温", 9, _T, 48.0, 31.0, 0.8,
       (low(40, 1.5, on_delay_s=2, off_delay_s=5, category="method", component="glue"),)),
    _S("S09.GuardOpen", "Guard door", "安全门", 9, "", False, True, 0.0, (GUARD_OPEN,)),
    _S("S10.LeakRate", "Leak rate", "泄漏率", 10, "ml/min", 0.8, 4.6, 0.2,
       (high(3, 0.3, on_delay_s=2, severity=2, category="quality", component="seal"),)),
    _S("S11.RoomHumidity", "Humidity", "湿度", 11, "%", 46.0, 71.0, 1.5,
       (high(65, 3, on_delay_s=2, off_delay_s=5, category="environment", component="air"),)),
    _S("S12.LabelPrinterReady", "Label printer", "标签打印机", 12, "", True, False, 0.0,
       (DemoRule(Kind.DISCRETE, active_when=False, on_delay_s=2, category="information", component="printer",
                 message=says("Label printer not ready", "标签打印机未就绪")),)),
)  # fmt: skip


def culprit(station: int | None = None) -> DemoTag:
    """Return the signal that misbehaves when a station is told to; of no station in particular, the spindle of 3.

    Raises:
        LookupError: there is no such station.
    """
    wanted = 3 if station is None else station
    for tag in DEMO_TAGS:
        if tag.station == wanted:
            return tag
    raise LookupError(station)

"""Which mounts are disks."""

from services.jobs.disks.mounts import Mount, disks, parse

HOST = """\
proc /proc proc rw,relatime 0 0
sysfs /sys sysfs rw 0 0
tmpfs /run tmpfs rw,size=1634128k 0 0
/dev/vda1 / ext4 rw,relatime,errors=remount-ro 0 0
/dev/vda15 /boot/efi vfat rw,relatime 0 0
/dev/loop3 /snap/core/17 squashfs ro,nodev 0 0
/dev/sr0 /media/cd iso9660 ro 0 0
/dev/vdb /mnt/my\\040data xfs rw 0 0
/dev/vdb /var/lib/docker/volumes/one/_data xfs rw 0 0
overlay /var/lib/docker/overlay2/9f/merged overlay rw,lowerdir=/a 0 0
nas:/export /nas nfs4 ro,vers=4.2 0 0
nsfs /run/docker/netns/default nsfs rw 0 0
"""


def points(*arguments: object, **named: object) -> list[str]:
    return [one.point for one in disks(*arguments, **named)]  # type: ignore[arg-type]


def test_only_what_holds_data_is_looked_at_and_each_device_once() -> None:
    assert points(parse(HOST)) == ["/", "/boot/efi", "/mnt/my data", "/nas"]


def test_a_named_mount_goes_before_a_nearer_one() -> None:
    volume = "/var/lib/docker/volumes/one/_data"

    assert points(parse(HOST), named={volume}) == ["/", "/boot/efi", "/nas", volume]


def test_what_is_ignored_is_ignored_with_all_below_it() -> None:
    assert points(parse(HOST), ignored=["/mnt", "/boot/efi/", "/na"]) == [
        "/", "/boot/efi", "/nas", "/var/lib/docker/volumes/one/_data",
    ]  # fmt: skip
    assert points(parse(HOST), ignored=["/"]) == ["/boot/efi", "/mnt/my data", "/nas"]


def test_whether_it_can_be_written_to_is_said() -> None:
    assert [one.point for one in parse(HOST) if not one.writable] == ["/snap/core/17", "/media/cd", "/nas"]


def test_a_container_without_a_view_of_the_host_still_sees_its_own_root() -> None:
    assert points(parse("overlay / overlay rw,lowerdir=/x 0 0\n")) == ["/"]


def test_what_is_mounted_over_another_hides_it() -> None:
    both = parse("/dev/vda / ext4 rw 0 0\n/dev/vdb /data ext4 rw 0 0\n/dev/vdc /data ext4 rw 0 0\n")

    assert disks(both)[1] == Mount(device="/dev/vdc", point="/data", type="ext4", writable=True)


def test_names_that_are_not_ascii_are_understood() -> None:
    assert points(parse("/dev/vda /größe\\040x ext4 rw 0 0\nrubbish\n")) == ["/größe x"]

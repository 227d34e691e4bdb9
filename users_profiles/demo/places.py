"""Where the made-up people live, what they are called there, and how their phone numbers look.

A name in another script carries how it is written in a username: ``"山田|yamada"``. In a phone number each ``#`` is any
digit; every number made this way is one the numbering plan knows (a test asks).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A country with an office: the office city first, then the cities people work remotely from."""

    region: str
    phone: str
    cities: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    weight: int = 2


def _place(region: str, phone: str, cities: str, given: str, family: str, weight: int = 2) -> Place:
    return Place(region, phone, _split(cities), _split(given), _split(family), weight)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


PLACES = (
    _place(
        "DE",
        "+49151########",
        "Berlin, Leipzig, Köln",
        "Anke, Björn, Jürgen, Käthe, Lena, Matthias, Sophie, Uwe, Zoë, Friederike, Jonas, Miriam",
        "Müller, Schröder, Weiß, Krüger, Böhm, Vogel, Hartmann, Lehmann, von der Heide, Schäfer",
        weight=6,
    ),
    _place(
        "PT",
        "+35191#######",
        "Lisbon, Porto, Évora",
        "João, Inês, Tiago, Conceição, Gonçalo, Beatriz, Simão, Leonor, Duarte, Mafalda",
        "Simões, Gonçalves, Araújo, Figueiredo, Magalhães, Teixeira, Falcão, Brandão, Neves, Lourenço",
        weight=5,
    ),
    _place(
        "KE",
        "+25471#######",
        "Nairobi, Mombasa, Kisumu",
        "Wanjikũ|wanjiku, Otieno, Achieng, Kamau, Njeri, Barasa, Amina, Kiprono, Makena, Mutua",
        "Ndũng'ũ|ndungu, Odhiambo, Mwangi, Kariuki, Cheruiyot, Wambui, Ouma, Njoroge, Wafula, Kilonzo",
        weight=5,
    ),
    _place(
        "PL",
        "+48601######",
        "Warsaw, Kraków, Gdańsk",
        "Łukasz, Małgorzata, Zbigniew, Agnieszka, Paweł, Świętosława, Bożena, Grzegorz, Kinga, Wojciech",
        "Wójcik, Nowak, Dąbek, Mazur, Woźniak, Krawczyk, Zając, Stępień, Sikora, Pietrzyk",
        weight=3,
    ),
    _place(
        "VN",
        "+8490#######",
        "Hanoi, Đà Nẵng",
        "Thị Hương, Văn Đức, Minh Châu, Quốc Bảo, Thùy Linh, Anh Tuấn, Ngọc Ánh, Hữu Phước",
        "Nguyễn, Trần, Lê, Phạm, Huỳnh, Võ, Đặng, Bùi",
        weight=3,
    ),
    _place(
        "JP",
        "+81901#######",
        "Tokyo, 京都",
        "太郎|taro, 花子|hanako, 健太|kenta, 美咲|misaki, 翔|sho, 陽菜|hina, 直樹|naoki, さくら|sakura",
        "山田|yamada, 佐藤|sato, 鈴木|suzuki, 高橋|takahashi, 田中|tanaka, 渡辺|watanabe, 小林|kobayashi, 加藤|kato",
        weight=3,
    ),
    _place(
        "GR",
        "+30694#######",
        "Athens, Θεσσαλονίκη",
        "Σοφία|sofia, Γιώργος|giorgos, Ελένη|eleni, Δημήτρης|dimitris, Κατερίνα|katerina, Νίκος|nikos, Άννα|anna",
        "Παππάς|pappas, Βλάχου|vlachou, Νικολάου|nikolaou, Γεωργίου|georgiou, Αλεξίου|alexiou, Οικονόμου|oikonomou",
    ),
    _place(
        "EG",
        "+20100#######",
        "Cairo, الإسكندرية",
        "محمد|mohamed, فاطمة|fatma, أحمد|ahmed, ليلى|layla, يوسف|youssef, نور|nour, عمر|omar, مريم|mariam",
        "حسن|hassan, عبد الله|abdallah, السيد|elsayed, إبراهيم|ibrahim, منصور|mansour, فاروق|farouk, سالم|salem",
    ),
    _place(
        "UA",
        "+38067#######",
        "Kyiv, Львів",
        "Ольга|olha, Тарас|taras, Оксана|oksana, Андрій|andrii, Марія|mariia, Богдан|bohdan, Юлія|yuliia, Ігор|ihor",
        "Шевченко|shevchenko, Коваленко|kovalenko, Бондаренко|bondarenko, Ткачук|tkachuk, Мельник|melnyk",
    ),
    _place(
        "MX",
        "+525512######",
        "Mexico City, Mérida",
        "José, María Fernanda, Ángel, Ximena, Íñigo, Lucía, Raúl, Sofía, Andrés, Itzel",
        "García, Hernández, Peña, López, Ramírez, Muñoz, Ibáñez, Vázquez, Ordóñez, Solís",
        weight=4,
    ),
    _place(
        "BR",
        "+551198#######",
        "São Paulo, Florianópolis",
        "Thaís, Caio, Luíza, Antônio, Fabrício, Débora, Vinícius, Isadora, Letícia, Otávio",
        "Souza, Conceição, Guimarães, Assunção, Ribeiro, Nóbrega, Antunes, Sant'Anna, Moraes, Cordeiro",
        weight=3,
    ),
    _place(
        "IN",
        "+9198########",
        "Bengaluru, Pune, Kochi",
        "Ananya, Rohan, अदिति|aditi, Karthik, Meera, विक्रम|vikram, Priya, Arjun, Lakshmi, Sanjay",
        "Iyer, Sharma, Deshpande, Nair, Banerjee, Chatterjee, Reddy, Kulkarni, Menon, Rao",
        weight=4,
    ),
    _place(
        "NG",
        "+234803#######",
        "Lagos, Abuja",
        "Chinedu, Ngọzi|ngozi, Olúwaṣeun|oluwaseun, Adaeze, Babajide, Ifeoma, Emeka, Yetunde",
        "Okafor, Adéyẹmí|adeyemi, Eze, Balogun, Nwosu, Ogunleye, Danjuma, Uche",
    ),
    _place(
        "GB",
        "+447912######",
        "London, Leeds, Glasgow",
        "Ada, Rhys, Siân, Callum, Imogen, Hamish, Priyanka, Oliver, Niamh, Desmond",
        "Lovelace, Ap Rhys, MacLeod, Okonkwo, Fairweather, Whittaker, Osborne, Singh, Hughes, Smith-Jones",
        weight=4,
    ),
    _place(
        "IE",
        "+35385#######",
        "Dublin, Galway",
        "Siobhán, Pádraig, Aoife, Cian, Róisín, Oisín, Gráinne, Eoin",
        "O'Connor, Ní Bhriain, Ó Súilleabháin, Byrne, Kavanagh, Doyle, Fitzgerald, McCarthy",
    ),
    _place(
        "US",
        "+15122######",
        "Austin, Portland",
        "Grace, Marcus, Dolores, Tyrone, Emily, Jamal, Kaʻiulani|kaiulani, Hank, Renée, Dakota",
        "Hopper, Washington, Nguyen, Okafor, Miller, Begay, Delgado, Kowalski, Thibodeaux, Park",
        weight=4,
    ),
    _place(
        "CA",
        "+14165######",
        "Toronto, Montréal",
        "Noémie, Liam, Geneviève, Étienne, Wei, Harpreet, Chloé, Duncan",
        "Tremblay, Côté, Bélanger, Fraser, Gill, Chan, Lévesque, Campbell",
    ),
    _place(
        "SE",
        "+4670#######",
        "Stockholm, Malmö",
        "Åsa, Björn, Göran, Märta, Linnéa, Örjan, Saga, Håkan",
        "Ångström, Sjöberg, Lindström, Öberg, Nyström, Bergqvist, Håkansson, Löfgren",
    ),
    _place(
        "TR",
        "+90532#######",
        "Istanbul, İzmir",
        "Çağla, Işıl, Oğuz, Şebnem, Gökhan, Ömer, Ayşe, Tuğba",
        "Yıldız, Öztürk, Çelik, Şahin, Doğan, Güneş, Aydın, Kılıç",
    ),
    _place(
        "KR",
        "+821023######",
        "Seoul, 부산",
        "민준|minjun, 서연|seoyeon, 지훈|jihoon, 하은|haeun, 도윤|doyun, 수빈|subin",
        "김|kim, 이|lee, 박|park, 최|choi, 정|jung, 강|kang",
    ),
    _place(
        "NL",
        "+31612######",
        "Amsterdam, Utrecht",
        "Daan, Fleur, Maarten, Noor, Thijs, Eefje, Zoë, Joost",
        "van den Berg, de Vries, 't Hart, Bakker, van Dijk, Smeets, Hoekstra, de Groot",
    ),
)
